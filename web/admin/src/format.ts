/** Numbers and moments as an operator reads them: exact, with unit, and never a number that is not there. */

const MINUS = '−';
export const NOTHING = '–';

function grouped(value: number, digits: number): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace('-', MINUS);
}

/** `1,234`. */
export function count(value: number): string {
  return grouped(value, 0);
}

/** Thousandths to the last digit: `1,234.500`. */
export function exact(thousandths: number): string {
  const sign = thousandths < 0 ? MINUS : '';
  const whole = Math.abs(thousandths);
  return `${sign}${count(Math.trunc(whole / 1_000))}.${String(whole % 1_000).padStart(3, '0')}`;
}

/** A change, always with its sign: `+12.500`, `−3.000`; nothing for none. */
export function change(thousandths: number): string {
  if (thousandths === 0) return '';
  return thousandths > 0 ? `+${exact(thousandths)}` : exact(thousandths);
}

/** Thousandths for a glance: `1,234.5`, `12,345`. */
export function short(thousandths: number): string {
  const value = thousandths / 1_000;
  return grouped(value, Math.abs(value) >= 10_000 ? 0 : 1);
}

/** `12.5 ms`, `1.20 s`. */
export function millis(ms: number | null): string {
  if (ms === null) return NOTHING;
  if (ms === 0) return '0 ms';
  if (ms >= 10_000) return duration(ms);
  if (ms >= 1_000) return `${grouped(ms / 1_000, 2)} s`;
  return `${grouped(ms, ms >= 100 ? 0 : ms >= 1 ? 1 : 3)} ms`;
}

/** `40 s`, `25 min`, `1 h 20 min`, `3 d 4 h`. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return hours % 24 === 0 ? `${Math.floor(hours / 24)} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `m:ss` until something ends. */
export function countdown(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1_000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** `3 min ago`, `in 2 h`, `now`. */
export function relative(ms: number, nowMs: number): string {
  const distance = nowMs - ms;
  if (Math.abs(distance) < 5_000) return 'now';
  return distance > 0 ? `${duration(distance)} ago` : `in ${duration(-distance)}`;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `512 B`, `1.5 GiB`. */
export function bytes(value: number): string {
  let rest = value;
  let unit = 0;
  while (rest >= 1_024 && unit < UNITS.length - 1) {
    rest /= 1_024;
    unit += 1;
  }
  return `${grouped(rest, unit === 0 || rest >= 100 ? 0 : 1)} ${UNITS[unit] ?? ''}`;
}

/** Thousandths of something as `12.5 %`. */
export function percent(permille: number): string {
  return `${grouped(permille / 10, 1)} %`;
}

/** `$1,234.50`; whole dollars without cents. */
export function dollars(value: number): string {
  const sign = value < 0 ? MINUS : '';
  return `${sign}$${grouped(Math.abs(value), Number.isInteger(value) ? 0 : 2)}`;
}

export type Zone = 'local' | 'utc';

const pad = (value: number) => String(value).padStart(2, '0');

/** `2026-11-27 09:05:12`, in the zone of this machine or in UTC. */
export function moment(ms: number, zone: Zone): string {
  const at = new Date(ms);
  if (zone === 'utc') return at.toISOString().slice(0, 19).replace('T', ' ');
  const date = `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
  return `${date} ${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
}

/** `09:05:12`. */
export function clock(ms: number, zone: Zone): string {
  return moment(ms, zone).slice(11);
}

/** `+02:00`, what this machine's clock is ahead of UTC at a moment. */
export function offset(ms: number): string {
  const minutes = -new Date(ms).getTimezoneOffset();
  const sign = minutes < 0 ? MINUS : '+';
  return `${sign}${pad(Math.floor(Math.abs(minutes) / 60))}:${pad(Math.abs(minutes) % 60)}`;
}

/** What a local date and time field holds, as UTC in ms; nothing when it is no moment. */
export function fromField(value: string): number | null {
  const ms = new Date(value).getTime();
  return value === '' || Number.isNaN(ms) ? null : ms;
}

/** A moment as a local date and time field wants it. */
export function toField(ms: number): string {
  return moment(ms, 'local').replace(' ', 'T').slice(0, 16);
}

/** What somebody typed as an amount, in thousandths; nothing when it is none. At most three digits after the point. */
export function parseAmount(text: string): number | null {
  const match = /^([+\-−]?)(\d{1,12})(?:[.,](\d{1,3}))?$/.exec(text.trim());
  if (match === null) return null;
  const [, sign = '', whole = '0', fraction = ''] = match;
  const value = Number(whole) * 1_000 + Number(fraction.padEnd(3, '0'));
  if (value === 0) return 0;
  return sign === '-' || sign === MINUS ? -value : value;
}

/** `session_ended` as `session ended`. */
export function words(id: string): string {
  return id.replaceAll('_', ' ');
}

/** `1 hero`, `2 heroes`. */
export function many(value: number, one: string, several = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : several}`;
}

/** µ a second as whole ones a minute. */
export function perMinute(microPerSecond: number): string {
  return ((microPerSecond * 60) / 1_000_000).toLocaleString('en-US', { maximumFractionDigits: 2 });
}
