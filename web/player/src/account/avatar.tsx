import { useState } from 'react';
import { HeroFigure } from '../art/hero-figure';

/** A round picture; without one, or if it does not come, the hero's own head. Decorative: the name stands beside it. */
export function Avatar({ url }: { url: string | null }) {
  const [broken, setBroken] = useState<string | null>(null);
  if (url !== null && url !== broken) {
    return <img className="avatar" src={url} alt="" width={96} height={96} onError={() => setBroken(url)} />;
  }
  return (
    <span className="avatar" aria-hidden="true">
      <svg viewBox="-92 -300 184 184">
        <HeroFigure mood="resting" />
      </svg>
    </span>
  );
}
