/** One's own data: taken along at once, and how it goes. */

import type { Go } from '../parts/navigation';
import { EraseAccount, EraseGuest } from './erasure';
import { useAuth } from './session';
import { TakeAlong } from './take-along';

export function DataCard({ onGo }: { onGo: Go }) {
  const { kind } = useAuth();
  return (
    <section className="card" aria-label="Your data">
      <h2>Your data</h2>
      <TakeAlong />
      {kind === 'account' ? <EraseAccount onGo={onGo} /> : <EraseGuest onGo={onGo} />}
    </section>
  );
}
