/** The frame of a page: its heading, what it is for, and what is old about it. */

import { type ReactNode, useEffect, useRef } from 'react';
import type { Role } from '../api.gen';
import { useRole } from '../context';
import { whyNot } from '../roles';

interface PageProps {
  title: string;
  /** Said below the heading: what this page is for. */
  about?: ReactNode;
  /** Beside the heading. */
  actions?: ReactNode;
  children: ReactNode;
}

export function Page({ title, about, actions, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const page = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // The name of a player must not end up in a browser's history.
    document.title = 'Dopamine Hero · operators';
    scrollTo(0, 0);
    // A field that is ready to be typed into keeps the focus.
    if (page.current?.contains(document.activeElement) !== true) heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <div className="page" ref={page}>
      <header className="page-head">
        <div>
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {about !== undefined && <p className="quiet">{about}</p>}
        </div>
        {actions !== undefined && <div className="page-actions">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

interface PanelProps {
  title?: string;
  about?: ReactNode;
  actions?: ReactNode;
  tone?: 'bad' | 'watch';
  children: ReactNode;
}

/** A part of a page that can be found by its heading. */
export function Panel({ title, about, actions, tone, children }: PanelProps) {
  return (
    <section className="panel" aria-label={title} data-tone={tone}>
      {title !== undefined && (
        <header className="panel-head">
          <h2>{title}</h2>
          {actions}
        </header>
      )}
      {about !== undefined && <p className="quiet panel-about">{about}</p>}
      {children}
    </section>
  );
}

/** What is below is for some roles only; the others are told which. */
export function For({ role, children }: { role: Role; children: ReactNode }) {
  const reason = whyNot(useRole(), role);
  return reason === null ? children : <p className="notice">{reason}</p>;
}
