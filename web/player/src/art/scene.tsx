import type { Hero } from '@dopamine-hero/sdk';
import type { Catalogue } from '../catalogue';
import { moduleName } from '../catalogue';
import { HeroFigure, type Mood } from './hero-figure';
import { FACE, ModuleFace } from './module-face';

const RACK = { x: 372, y: 40, width: 250, height: 270, rail: 16 } as const;

export interface SceneProps {
  hero: Hero;
  catalogue: Catalogue | null;
  mood: Mood;
  /** Before the first session: the module that waits for the player. */
  promise: boolean;
  /** Share of the starter that is built, 0 to 1; drawn as a rising panel. */
  building?: { moduleId: string; share: number } | null;
}

/** The hero and the rack behind it. Says nothing that is not also written on the page. */
export function Scene({ hero, catalogue, mood, promise, building = null }: SceneProps) {
  const { columns, rows } = hero.rack;
  const inner = { x: RACK.x + 14, y: RACK.y + RACK.rail + 10, width: RACK.width - 28, height: RACK.height - 2 * RACK.rail - 20 };
  const scale = Math.min(inner.width / (columns * (FACE.width + 8)), inner.height / (rows * (FACE.height + 8)));
  const step = { x: inner.width / columns, y: inner.height / rows };
  const place = (cell: number) => {
    const x = inner.x + (cell % columns) * step.x + (step.x - FACE.width * scale) / 2;
    const y = inner.y + Math.floor(cell / columns) * step.y + (step.y - FACE.height * scale) / 2;
    return `translate(${x} ${y}) scale(${scale})`;
  };
  const shown = shownModules(hero, promise, building?.moduleId ?? null);
  const isLit = shown.some((one) => one.lit);
  return (
    <svg className="scene" viewBox="0 0 720 372" role="img" aria-label={sceneWords(hero, promise)} data-mood={mood}>
      <defs>
        <radialGradient id="scene-light">
          <stop className="scene-light-in" offset="0" />
          <stop className="scene-light-out" offset="1" />
        </radialGradient>
      </defs>
      <ellipse className="scene-light" data-lit={isLit} cx="480" cy="180" rx="330" ry="230" fill="url(#scene-light)" />
      <path className="scene-floor" d="M20 340h680" />
      <path className="scene-cable" d="M322 173c30 60 70 96 130 104" />
      <g>
        <path className="rack-foot" d={`M${RACK.x + 26} ${RACK.y + RACK.height}v28M${RACK.x + RACK.width - 26} ${RACK.y + RACK.height}v28`} />
        <rect className="rack-frame" x={RACK.x} y={RACK.y} width={RACK.width} height={RACK.height} rx="16" />
        <rect className="rack-rail" x={RACK.x + 10} y={RACK.y + 8} width={RACK.width - 20} height={RACK.rail - 6} rx="5" />
        <rect className="rack-rail" x={RACK.x + 10} y={RACK.y + RACK.height - RACK.rail - 2} width={RACK.width - 20} height={RACK.rail - 6} rx="5" />
        {Array.from({ length: columns * rows }, (_, cell) => (
          <g key={cell} transform={place(cell)}>
            <rect className="rack-slot" width={FACE.width} height={FACE.height} rx="9" />
          </g>
        ))}
        {shown.map((one) => {
          const spec = catalogue?.modules.find((entry) => entry.id === one.moduleId);
          const share = building !== null && one.moduleId === building.moduleId ? building.share : 1;
          return (
            <g key={one.moduleId} transform={place(one.cell)} opacity={0.25 + 0.75 * share}>
              <ModuleFace
                moduleId={one.moduleId}
                name={moduleName(catalogue, one.moduleId)}
                kind={spec?.kind ?? 'generator'}
                rarity={spec?.rarity ?? 'common'}
                lit={one.lit && share === 1}
              />
            </g>
          );
        })}
      </g>
      <g transform="translate(212 336)">
        <HeroFigure mood={mood} />
      </g>
    </svg>
  );
}

interface Shown {
  moduleId: string;
  cell: number;
  lit: boolean;
}

function shownModules(hero: Hero, promise: boolean, building: string | null): Shown[] {
  const shown = hero.rack.placements.map(({ module_id, cell }): Shown => {
    return { moduleId: module_id, cell, lit: hero.rack.powered.includes(module_id) };
  });
  const free = () => {
    for (let cell = 0; cell < hero.rack.columns * hero.rack.rows; cell += 1) {
      if (!shown.some((one) => one.cell === cell)) return cell;
    }
    return null;
  };
  const waiting = building ?? hero.modules.find((owned) => !shown.some((one) => one.moduleId === owned.module_id))?.module_id;
  const extra = waiting ?? (promise && shown.length === 0 ? 'gen_sine' : null);
  const cell = free();
  if (extra !== null && cell !== null && !shown.some((one) => one.moduleId === extra)) {
    shown.push({ moduleId: extra, cell, lit: true });
  }
  return shown;
}

function sceneWords(hero: Hero, promise: boolean): string {
  if (promise) return 'Your hero, and behind it a rack with one lit module';
  const lit = hero.rack.powered.length;
  return `Your hero and its rack: ${lit} of ${hero.rack.placements.length} modules powered`;
}
