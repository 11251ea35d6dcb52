/** The server's clock as far as this page knows it. Good to a second, which is all that “3 min ago” needs. */

let skewMs = 0;

export function learnSkew(serverMinusOursMs: number): void {
  skewMs = serverMinusOursMs;
}

export function serverNow(): number {
  return Date.now() + skewMs;
}
