/** Two soft tones, made on the spot: no files, no licence, no download. */

import { isEffectOn } from './effects';
import { settings, systemReducesMotion } from './settings';

let context: AudioContext | null = null;

/** Browsers allow sound only after a gesture: call this inside one. */
export function unlockSound(): void {
  if (!isEffectOn('sound', settings(), systemReducesMotion())) return;
  try {
    context ??= new AudioContext();
    void context.resume();
  } catch {
    context = null;
  }
}

export type Chime = 'end' | 'gain' | 'start';

const NOTES: Record<Chime, readonly number[]> = { end: [523.25, 783.99], gain: [659.25], start: [392] };

export function chime(kind: Chime): void {
  if (context === null || !isEffectOn('sound', settings(), systemReducesMotion())) return;
  const begin = context.currentTime;
  for (const [index, frequency] of NOTES[kind].entries()) tone(context, frequency, begin + index * 0.28, kind === 'end' ? 0.09 : 0.04);
}

function tone(audio: AudioContext, frequency: number, at: number, loudness: number): void {
  const oscillator = audio.createOscillator();
  const gain = audio.createGain();
  oscillator.type = 'sine';
  oscillator.frequency.value = frequency;
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(loudness, at + 0.04);
  gain.gain.exponentialRampToValueAtTime(0.0001, at + 1.1);
  oscillator.connect(gain).connect(audio.destination);
  oscillator.start(at);
  oscillator.stop(at + 1.2);
}

export function shake(): void {
  if (!isEffectOn('vibration', settings(), systemReducesMotion())) return;
  if ('vibrate' in navigator) navigator.vibrate(30);
}
