/** Text that is long and meant to be taken elsewhere. */

import { useEffect, useState } from 'react';

export function Copy({ text, name }: { text: string; name: string }) {
  const [state, setState] = useState<'' | 'Copied' | 'Select it by hand'>('');
  useEffect(() => {
    if (state === '') return;
    const timer = setTimeout(() => setState(''), 3_000);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = () => {
    // Not there on a page that came over plain HTTP from another machine.
    const clipboard = navigator.clipboard as Clipboard | undefined;
    if (clipboard === undefined) setState('Select it by hand');
    else void clipboard.writeText(text).then(() => setState('Copied'), () => setState('Select it by hand'));
  };
  return (
    <span className="copy">
      <code>{text}</code>
      <button type="button" className="small" onClick={copy} aria-label={`Copy the ${name}`}>
        {state === '' ? 'Copy' : state}
      </button>
    </span>
  );
}

/** Hands a file to the browser. */
export function saveFile(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
