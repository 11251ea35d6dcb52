/** Numbers as people read them. */

/** `4:59`, `1:02:03`. A remaining time is rounded up, so that it begins at the full plan and ends at 0:00. */
export function clock(ms: number, round: 'up' | 'down'): string {
  const whole = round === 'up' ? Math.ceil(ms / 1_000) : Math.floor(ms / 1_000);
  const seconds = Math.max(0, whole);
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  const rest = String(seconds % 60).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}

/** `25 min`, `1 h 20 min`, `40 s`. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const rest = minutes % 60;
  return rest === 0 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 60)} h ${rest} min`;
}

/** Thousandths as `12.3`; large balances without the fraction. */
export function amount(thousandths: number, digits = 1): string {
  const value = Math.floor(thousandths / 10 ** (3 - digits)) / 10 ** digits;
  if (Math.abs(value) >= 1_000) return Math.floor(value).toLocaleString('en-US');
  return value.toFixed(digits);
}

/** A price: no `.0`. */
export function price(thousandths: number): string {
  return (thousandths / 1_000).toLocaleString('en-US', { maximumFractionDigits: 1 });
}

/** µD/s as D a minute. */
export function perMinute(microPerSecond: number): string {
  return ((microPerSecond * 60) / 1_000_000).toLocaleString('en-US', { maximumFractionDigits: 2 });
}

/** As the server counts them: 1 is the first. */
export const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;

/** `2026-03-09` as `9 Mar`. */
export function shortDate(date: string): string {
  const [year, month, day] = date.split('-').map(Number);
  const at = new Date(Date.UTC(year ?? 2000, (month ?? 1) - 1, day ?? 1));
  return at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
}
