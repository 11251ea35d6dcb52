export type Mood = 'ready' | 'focused' | 'resting' | 'glad';

/** What the visor shows: flat when resting, a slow sine when ready, a busy one in focus. */
const VISOR: Record<Mood, string> = {
  ready: wave(7, 38),
  focused: wave(13, 26),
  resting: wave(2, 52),
  glad: wave(10, 32),
};

/** A sine over four screens' width, so that it can slide without an end in sight. */
function wave(height: number, length: number): string {
  let path = 'M-160 0';
  for (let x = -160; x < 160; x += length) {
    const half = length / 2;
    path += `q${half / 2} ${-height * 1.6} ${half} 0t${half} 0`;
  }
  return path;
}

/** The synth hero, feet at its own origin, about 270 units tall. Decorative: the page says in words what it means. */
export function HeroFigure({ mood }: { mood: Mood }) {
  return (
    <g className="hero" data-mood={mood}>
      <ellipse className="hero-shadow" cx="2" cy="2" rx="88" ry="11" />
      <g className="hero-legs">
        <path d="M-24 -66v46" />
        <path d="M24 -66v46" />
      </g>
      <rect className="hero-boot" x="-44" y="-24" width="38" height="24" rx="11" />
      <rect className="hero-boot" x="6" y="-24" width="38" height="24" rx="11" />
      <g className="hero-upper">
        <path className="hero-tail" d="M-30 -168c-34 4-44 30-76 22 6 18 36 30 62 10 10-8 18-14 24-16z" />
        <path className="hero-arm" d="M-48 -144c-22 14-30 34-26 58" />
        <circle className="hero-glove" cx="-74" cy="-82" r="13" />
        <rect className="hero-suit" x="-52" y="-172" width="104" height="118" rx="36" />
        <path className="hero-seam" d="M-30 -84h60" />
        <circle className="hero-lamp-ring" cx="0" cy="-122" r="19" />
        <circle className="hero-lamp" cx="0" cy="-122" r="12" />
        <circle className="hero-button" cx="-16" cy="-72" r="4.5" />
        <circle className="hero-button" cx="0" cy="-72" r="4.5" />
        <circle className="hero-button" cx="16" cy="-72" r="4.5" />
        <path className="hero-arm" d="M48 -142c26 4 40-4 58-20" />
        <circle className="hero-glove" cx="110" cy="-166" r="13" />
        <path className="hero-scarf" d="M-44 -172c24 16 64 16 88 0l2 14c-28 18-64 18-92 0z" />
        <g className="hero-head">
          <path className="hero-band" d="M-60 -226c0-70 120-70 120 0" />
          <rect className="hero-shell" x="-56" y="-268" width="112" height="92" rx="40" />
          <rect className="hero-visor" x="-42" y="-248" width="84" height="50" rx="24" />
          <clipPath id="hero-visor-clip">
            <rect x="-42" y="-248" width="84" height="50" rx="24" />
          </clipPath>
          <g clipPath="url(#hero-visor-clip)">
            <g transform="translate(0 -223)">
              <path className="hero-wave" d={VISOR[mood]} />
            </g>
          </g>
          <path className="hero-shine" d="M-30 -238c6-5 14-6 22-6" />
          <rect className="hero-cup" x="-74" y="-248" width="24" height="48" rx="11" />
          <rect className="hero-cup" x="50" y="-248" width="24" height="48" rx="11" />
        </g>
      </g>
    </g>
  );
}
