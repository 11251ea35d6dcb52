/**
 * Server time on this machine. The offset is the median of a few measurements; between them only the monotonic clock
 * counts, so that somebody who sets the wall clock changes nothing.
 */

const SAMPLES_MAX = 7;
/** A jump of the wall clock against the monotonic clock that means: this machine slept. */
const SLEEP_MS_MIN = 1_500;

/** Round trips under a few milliseconds are all equally good. */
const ROUND_TRIP_SLACK_MS = 10;

interface Sample {
  offsetMs: number;
  roundTripMs: number;
}

export interface TimeSource {
  /** Never goes back; may stand still while the machine sleeps. */
  monotonicMs(): number;
  /** What the machine believes the time to be. */
  wallMs(): number;
}

export class ServerClock {
  #samples: Sample[] = [];
  #offsetMs: number;
  #driftMs: number;

  /** `skewMs` is server time minus wall time as it was known last, so that a reload is right before it is connected. */
  constructor(
    private readonly source: TimeSource,
    skewMs = 0,
  ) {
    this.#driftMs = source.wallMs() - source.monotonicMs();
    this.#offsetMs = this.#driftMs + skewMs;
  }

  /** Milliseconds of server UTC, now. */
  nowMs(): number {
    this.checkSleep();
    return Math.round(this.source.monotonicMs() + this.#offsetMs);
  }

  /** Server time minus wall time, to be kept for the next start. */
  get skewMs(): number {
    return Math.round(this.#offsetMs - this.#driftMs);
  }

  /** A pong: what the server's clock said, and the monotonic times between which it said so. */
  addSample(serverNowMs: number, sentMonotonicMs: number, receivedMonotonicMs: number): void {
    const middle = (sentMonotonicMs + receivedMonotonicMs) / 2;
    this.#samples.push({ offsetMs: serverNowMs - middle, roundTripMs: receivedMonotonicMs - sentMonotonicMs });
    if (this.#samples.length > SAMPLES_MAX) this.#samples.shift();
    // A slow answer says little about where in between the server looked at its clock.
    const limit = 2 * Math.min(...this.#samples.map((sample) => sample.roundTripMs)) + ROUND_TRIP_SLACK_MS;
    const good = this.#samples.filter((sample) => sample.roundTripMs <= limit);
    this.#offsetMs = median(good.map((sample) => sample.offsetMs));
  }

  /** The welcome's time: good to half a round trip, and enough until the first pong. */
  addCoarse(serverNowMs: number): void {
    if (this.#samples.length === 0) this.#offsetMs = serverNowMs - this.source.monotonicMs();
  }

  /** Old samples say nothing about a machine that slept: begin again. */
  forget(): void {
    this.#samples = [];
  }

  /** Makes up for a sleep in which the monotonic clock stood still. Says whether there was one. */
  checkSleep(): boolean {
    const drift = this.source.wallMs() - this.source.monotonicMs();
    const slept = drift - this.#driftMs;
    if (Math.abs(slept) < SLEEP_MS_MIN) return false;
    this.#driftMs = drift;
    // A wall clock that was set by hand looks like a sleep. The next pong corrects both.
    if (slept > 0) this.#offsetMs += slept;
    this.forget();
    return true;
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  if (sorted.length % 2 === 1) return upper;
  return ((sorted[middle - 1] ?? upper) + upper) / 2;
}
