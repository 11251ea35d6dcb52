/** Small things about texts. */

/** Where a line (from 1) begins and ends in a text. */
export function lineRange(text: string, line: number): [from: number, until: number] {
  let from = 0;
  for (let current = 1; current < line; current += 1) {
    const end = text.indexOf('\n', from);
    if (end < 0) return [text.length, text.length];
    from = end + 1;
  }
  const end = text.indexOf('\n', from);
  return [from, end < 0 ? text.length : end];
}

/** How many bytes a text is on the wire. */
export function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
