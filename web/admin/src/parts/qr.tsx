/** A QR code as a drawing: one path, dark on white in every theme, because cameras want it so. */

import qrcode from 'qrcode-generator';
import { useMemo } from 'react';

const QUIET_CELLS = 4;

export function qrPath(text: string): { path: string; cells: number } {
  const code = qrcode(0, 'M');
  code.addData(text);
  code.make();
  const cells = code.getModuleCount();
  let path = '';
  for (let row = 0; row < cells; row += 1) {
    for (let column = 0; column < cells; column += 1) {
      if (code.isDark(row, column)) path += `M${column + QUIET_CELLS} ${row + QUIET_CELLS}h1v1h-1z`;
    }
  }
  return { path, cells: cells + 2 * QUIET_CELLS };
}

export function QrCode({ text, name }: { text: string; name: string }) {
  const { path, cells } = useMemo(() => qrPath(text), [text]);
  return (
    <svg className="qr" viewBox={`0 0 ${cells} ${cells}`} role="img" aria-label={name} shapeRendering="crispEdges">
      <rect width={cells} height={cells} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
