import type { ModuleKind, Rarity } from '../catalogue';
import { RARITY_WORDS } from '../catalogue';
import { GLYPHS, UNKNOWN_GLYPH } from './glyphs';

export const FACE = { width: 100, height: 118 } as const;

/** A longer name is written smaller. */
const NAME_CHARS = 11;

export interface ModuleFaceProps {
  moduleId: string;
  name: string;
  kind: ModuleKind;
  rarity: Rarity;
  level?: number;
  lit?: boolean;
  inputs?: number;
}

/** One module's front panel, to be put inside an svg; 100 by 118 units from its own origin. */
export function ModuleFace({ moduleId, name, kind, rarity, level = 1, lit = false, inputs = 1 }: ModuleFaceProps) {
  const jacks = kind === 'generator' ? 0 : Math.max(1, inputs);
  return (
    <g className={`face face-${kind} face-${rarity}`} data-lit={lit}>
      <rect className="face-glow" x="-5" y="-5" width="110" height="128" rx="14" />
      <rect className="face-panel" width="100" height="118" rx="9" />
      <rect className="face-tint" width="100" height="118" rx="9" />
      {[8, 92].map((x) => [8, 110].map((y) => <circle key={`${x}-${y}`} className="face-screw" cx={x} cy={y} r="2.6" />))}
      <text className={name.length > NAME_CHARS ? 'face-name face-name-long' : 'face-name'} x="50" y="18" textAnchor="middle">
        {name}
      </text>
      <rect className="face-screen" x="12" y="26" width="76" height="36" rx="6" />
      <path className="face-trace" d={GLYPHS[moduleId] ?? UNKNOWN_GLYPH} transform="translate(20 30)" />
      <Knob x={28} y={78} turn={-120 + level * 48} />
      <Knob x={50} y={78} turn={40} small />
      <Knob x={72} y={78} turn={-60} small />
      {Array.from({ length: jacks }, (_, index) => (
        <Jack key={index} x={16 + index * 13} y={100} />
      ))}
      <Jack x={84} y={100} out />
      {Array.from({ length: RARITY_WORDS[rarity].dots }, (_, index) => (
        <circle key={index} className="face-rarity" cx={50 + (index - (RARITY_WORDS[rarity].dots - 1) / 2) * 7} cy="110.5" r="2" />
      ))}
    </g>
  );
}

function Knob({ x, y, turn, small = false }: { x: number; y: number; turn: number; small?: boolean }) {
  const radius = small ? 6 : 9;
  return (
    <g transform={`translate(${x} ${y})`}>
      <circle className="face-knob" r={radius} />
      <line className="face-pointer" x1="0" y1={-radius * 0.3} x2="0" y2={-radius * 0.85} transform={`rotate(${turn})`} />
    </g>
  );
}

function Jack({ x, y, out = false }: { x: number; y: number; out?: boolean }) {
  return (
    <g transform={`translate(${x} ${y})`}>
      <circle className={out ? 'face-jack face-jack-out' : 'face-jack'} r="5" />
      <circle className="face-hole" r="2" />
    </g>
  );
}
