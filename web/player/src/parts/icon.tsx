/** Line icons of our own, 20 by 20. Always beside a word or inside a labelled button. */
const PATHS = {
  home: 'M3 9.5 10 3l7 6.5V17h-4.5v-5h-5v5H3z',
  tasks: 'M3 5l1.5 1.5L7 4M3 10l1.5 1.5L7 9M3 15l1.5 1.5L7 14M10 5.5h7M10 10.5h7M10 15.5h7',
  workshop: 'M12 3a4 4 0 0 0-4 5.5L3 13.5 6.5 17l5-5A4 4 0 0 0 17 7l-2.5 2.5-3-.5-.5-3L13.5 3.5z',
  rack: 'M3 3h14v14H3zM10 3v14M3 10h14M6 6.5h1M13 6.5h1M6 13.5h1M13 13.5h1',
  you: 'M10 10a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM3.5 17c.5-4 3-5.5 6.5-5.5s6 1.5 6.5 5.5',
  settings: 'M3 6h8M15 6h2M3 14h2M9 14h8M13 6m-2 0a2 2 0 1 0 4 0 2 2 0 1 0-4 0M7 14m-2 0a2 2 0 1 0 4 0 2 2 0 1 0-4 0',
  help: 'M7.5 7.5a2.5 2.5 0 1 1 3.5 2.300c-.8.4-1 .9-1 1.700M10 14.5v.1M10 18a8 8 0 1 0 0-16 8 8 0 0 0 0 16z',
  energy: 'M11 2 4.5 11.5H9L8.5 18 15.5 8H11z',
  dopamine: 'M2 10c2.5-9 5.5-9 8 0s5.5 9 8 0',
  pause: 'M7 4v12M13 4v12',
  play: 'M6 3.5 16 10 6 16.5z',
  flag: 'M5 18V3h10l-2 3.5 2 3.5H5',
  away: 'M8 4H4v12h4M12 6.5 16 10l-4 3.5M16 10H8',
  plus: 'M10 4v12M4 10h12',
  cup: 'M4 6h9v5a4 4 0 0 1-4 4H8a4 4 0 0 1-4-4zM13 7h2a2 2 0 0 1 0 4.5h-2M5 18h8',
  split: 'M10 17v-5L4.5 6M10 12l5.5-6M4.5 9V6h3M12.5 6h3v3',
  shield: 'M10 2.5 16 5v4.5c0 4-2.5 6.5-6 8-3.5-1.5-6-4-6-8V5z',
  flame: 'M10 2c1 4 5 5 5 10a5 5 0 0 1-10 0c0-2 1-3.5 2-4 0 2 1 3 2 3 0-3-1-5 1-9z',
  check: 'M4 10.5 8.5 15 16 5.5',
  notice: 'M10 5.5v6M10 14.500v.1M10 18a8 8 0 1 0 0-16 8 8 0 0 0 0 16z',
  close: 'M5 5l10 10M15 5 5 15',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
