/* A QR code as the path of an SVG, one unit a module. */
import { encode } from "uqr";

export interface Qr {
  /* modules along a side, the quiet zone included */
  size: number;
  path: string;
}

/* What scanners ask for around it. */
const QUIET = 4;

/* null where the text is too long for any. */
export function qrOf(text: string): Qr | null {
  let rows: boolean[][];
  try {
    rows = encode(text, { ecc: "M", border: QUIET }).data;
  } catch {
    return null;
  }
  const parts: string[] = [];
  rows.forEach((row, y) => {
    for (let x = 0; x < row.length; x++) {
      const begin = x;
      while (row[x] === true) x++;
      if (x > begin) parts.push(`M${begin},${y}h${x - begin}v1h${begin - x}z`);
    }
  });
  return { size: rows.length, path: parts.join("") };
}
