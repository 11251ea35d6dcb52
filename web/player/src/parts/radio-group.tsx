import { type KeyboardEvent, useRef } from 'react';

export interface RadioOption<Value extends string> {
  value: Value;
  words: string;
  /** A sign beside the words. */
  mark?: string;
}

export interface RadioGroupProps<Value extends string> {
  label: string;
  look: 'segments' | 'chips';
  value: Value;
  options: readonly RadioOption<Value>[];
  onChange: (value: Value) => void;
}

const STEPS: Record<string, number> = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

/** One choice of a few: one stop for Tab, arrows inside, as with the browser's own radio buttons. */
export function RadioGroup<Value extends string>({ label, look, value, options, onChange }: RadioGroupProps<Value>) {
  const group = useRef<HTMLDivElement>(null);
  const keyDown = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const index = options.findIndex((option) => option.value === value);
    const next = options[(index + step + options.length) % options.length];
    if (next === undefined) return;
    onChange(next.value);
    group.current?.querySelectorAll('button')[options.indexOf(next)]?.focus();
  };
  return (
    <div ref={group} className={look} role="radiogroup" aria-label={label} tabIndex={-1} onKeyDown={keyDown}>
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          role="radio"
          className={look === 'chips' ? 'chip' : undefined}
          aria-checked={option.value === value}
          tabIndex={option.value === value ? 0 : -1}
          onClick={() => onChange(option.value)}
        >
          {option.mark !== undefined && <span aria-hidden="true">{option.mark}</span>} {option.words}
        </button>
      ))}
    </div>
  );
}
