// A PNG of a screen with at most 256 colours: a third of the bytes, and hardly a pixel that looks
// different. Pages are flat colours and grey edges of letters.
import { deflateSync, inflateSync } from 'node:zlib';

const COLOURS_MAX = 256;

function chunksOf(png) {
  const chunks = [];
  for (let at = 8; at < png.length; ) {
    const n = png.readUInt32BE(at);
    chunks.push({ type: png.toString('latin1', at + 4, at + 8), data: png.subarray(at + 8, at + 8 + n) });
    at += 12 + n;
  }
  return chunks;
}

function paeth(a, b, c) {
  const p = a + b - c;
  const [da, db, dc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)];
  return da <= db && da <= dc ? a : db <= dc ? b : c;
}

/** The bytes of all rows, without the filters that PNG puts before them. */
function unfilter(raw, height, stride, step) {
  const out = Buffer.alloc(height * stride);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const a = x >= step ? out[y * stride + x - step] : 0;
      const b = y > 0 ? out[(y - 1) * stride + x] : 0;
      const c = x >= step && y > 0 ? out[(y - 1) * stride + x - step] : 0;
      const guess = [0, a, b, (a + b) >> 1, paeth(a, b, c)][filter];
      out[y * stride + x] = raw[y * (stride + 1) + 1 + x] + guess;
    }
  }
  return out;
}

/** Every colour's place in the palette: the most frequent ones, the others go to the nearest. */
function makePalette(colours) {
  const counts = new Map();
  for (const colour of colours) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const palette = [...counts].sort((a, b) => b[1] - a[1]).slice(0, COLOURS_MAX).map(([colour]) => colour);
  const parts = palette.map(colour => [colour >> 16, (colour >> 8) & 255, colour & 255]);
  const nearest = colour => {
    const [r, g, b] = [colour >> 16, (colour >> 8) & 255, colour & 255];
    let best = 0, least = Infinity;
    for (const [i, part] of parts.entries()) {
      const away = (part[0] - r) ** 2 + (part[1] - g) ** 2 + (part[2] - b) ** 2;
      if (away < least) [best, least] = [i, away];
    }
    return best;
  };
  return { parts, places: new Map([...counts.keys()].map(colour => [colour, nearest(colour)])) };
}

const TABLE = Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  let crc = 0xffffffff;
  for (const byte of body) crc = TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE((crc ^ 0xffffffff) >>> 0, body.length + 4);
  return out;
}

/** png: 8 bits a channel, RGB or RGBA without transparency, as browsers make them. */
export function withPalette(png) {
  const chunks = chunksOf(png);
  const head = chunks.find(({ type }) => type === 'IHDR').data;
  const [width, height, step] = [head.readUInt32BE(0), head.readUInt32BE(4), head[9] === 6 ? 4 : 3];
  const raw = inflateSync(Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data)));
  const bytes = unfilter(raw, height, width * step, step);
  const colours = Array.from({ length: width * height }, (_, i) => (bytes[i * step] << 16) | (bytes[i * step + 1] << 8) | bytes[i * step + 2]);
  const { parts, places } = makePalette(colours);
  const rows = Buffer.alloc(height * (width + 1));
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) rows[y * (width + 1) + 1 + x] = places.get(colours[y * width + x]);
  const newHead = Buffer.from(head);
  newHead[9] = 3; // places in a palette
  return Buffer.concat([
    png.subarray(0, 8), chunk('IHDR', newHead), chunk('PLTE', Buffer.from(parts.flat())),
    chunk('IDAT', deflateSync(rows, { level: 9 })), chunk('IEND', Buffer.alloc(0)),
  ]);
}
