/** A picture of the player's, made square and small before it leaves the device, and with it whatever else is in the file. */

export const PICTURE_TYPES = ['image/jpeg', 'image/png', 'image/webp'] as const;

const SIDE = 512;

/** The part of a picture that is kept: the middle square. */
export function middleSquare(width: number, height: number): { x: number; y: number; side: number } {
  const side = Math.min(width, height);
  return { x: Math.floor((width - side) / 2), y: Math.floor((height - side) / 2), side };
}

/** Throws if the browser cannot read it. */
export async function squarePicture(file: Blob): Promise<Blob> {
  const bitmap = await createImageBitmap(file);
  const canvas = document.createElement('canvas');
  const { x, y, side } = middleSquare(bitmap.width, bitmap.height);
  canvas.width = canvas.height = Math.min(SIDE, side);
  canvas.getContext('2d')?.drawImage(bitmap, x, y, side, side, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  // Where something shines through it stays so; photographs are smaller as JPEG.
  const type = file.type === 'image/jpeg' ? 'image/jpeg' : 'image/png';
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, type, 0.9));
  if (blob === null) throw new Error('the canvas gave no picture');
  return blob;
}

/** For the preview: the content security policy knows no `blob:` pictures. */
export function dataUrl(blob: Blob): Promise<string> {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(String(reader.result));
    reader.onerror = () => failed(reader.error ?? new Error('the picture could not be read'));
    reader.readAsDataURL(blob);
  });
}
