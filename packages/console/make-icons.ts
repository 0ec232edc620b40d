/**
 * Draws the icons that phones want as PNG, from the same strokes as `public/holdfast.svg`:
 * node packages/console/make-icons.ts
 * @module
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';

type Color = readonly [number, number, number];

/** A line with round ends, in the 32 units of the picture. */
interface Stroke {
  readonly from: readonly [number, number];
  readonly to: readonly [number, number];
  readonly width: number;
  readonly color: Color;
}

const GROUND: Color = [0x16, 0x4c, 0x72];
const WHITE: Color = [0xff, 0xff, 0xff];
const BLUE: Color = [0x7f, 0xb6, 0xda];
const UNITS = 32;
/** Samples of each pixel in each direction. */
const SAMPLES = 4;

const STROKES: readonly Stroke[] = [
  { from: [10, 7], to: [10, 25], width: 3.5, color: WHITE },
  { from: [22, 7], to: [22, 25], width: 3.5, color: WHITE },
  { from: [10, 16], to: [22, 16], width: 3.5, color: WHITE },
  { from: [6, 25], to: [14, 25], width: 3, color: BLUE },
  { from: [18, 25], to: [26, 25], width: 3, color: BLUE },
].toReversed();

/** @param scale - of the strokes; a maskable icon keeps them within the middle four fifths. */
function draw(size: number, { radius, scale }: { radius: number; scale: number }): Buffer {
  const rows = Array.from({ length: size }, (_row, y) => {
    const pixels = Array.from({ length: size }, (_pixel, x) =>
      pixelAt(x, y, (px, py) => colorAt((px / size) * UNITS, (py / size) * UNITS, radius, scale)),
    );
    // Each row begins with the number of its filter: none.
    return Buffer.concat([Buffer.of(0), ...pixels]);
  });
  return png(size, Buffer.concat(rows));
}

function pixelAt(x: number, y: number, at: (x: number, y: number) => Color | undefined): Buffer {
  const sum = [0, 0, 0, 0];
  for (let i = 0; i < SAMPLES * SAMPLES; i += 1) {
    const [dx, dy] = [(i % SAMPLES) + 0.5, Math.floor(i / SAMPLES) + 0.5];
    const color = at(x + dx / SAMPLES, y + dy / SAMPLES);
    if (color !== undefined) [...color, 255].forEach((part, n) => (sum[n] = (sum[n] ?? 0) + part));
  }
  const [red = 0, green = 0, blue = 0, alpha = 0] = sum;
  const covered = Math.max(1, alpha / 255);
  const mean = [red, green, blue].map((part) => Math.round(part / covered));
  return Buffer.from([...mean, Math.round(alpha / (SAMPLES * SAMPLES))]);
}

function colorAt(x: number, y: number, radius: number, scale: number): Color | undefined {
  const edge = Math.max(Math.abs(x - 16), Math.abs(y - 16));
  const [cx, cy] = [Math.abs(x - 16) - (16 - radius), Math.abs(y - 16) - (16 - radius)];
  const isCorner = cx > 0 && cy > 0 && Math.hypot(cx, cy) > radius;
  if (edge > 16 || isCorner) return undefined;
  const [sx, sy] = [(x - 16) / scale + 16, (y - 16) / scale + 16];
  const stroke = STROKES.find((one) => distance(sx, sy, one) <= one.width / 2);
  return stroke?.color ?? GROUND;
}

function distance(x: number, y: number, { from: [ax, ay], to: [bx, by] }: Stroke): number {
  const [dx, dy] = [bx - ax, by - ay];
  const along = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy);
  const at = Math.min(1, Math.max(0, along));
  return Math.hypot(x - ax - at * dx, y - ay - at * dy);
}

/** @see PNG (W3C), §11: RGBA with 8 bits each. */
function png(size: number, pixels: Buffer): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 6, 0, 0, 0], 8);
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  const body = chunk('IDAT', deflateSync(pixels, { level: 9 }));
  return Buffer.concat([signature, chunk('IHDR', header), body, chunk('IEND', Buffer.alloc(0))]);
}

function chunk(type: string, data: Buffer): Buffer {
  const content = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(content));
  return Buffer.concat([length, content, check]);
}

const ICONS = [
  { name: 'icon-192.png', size: 192, radius: 7, scale: 1 },
  { name: 'icon-512.png', size: 512, radius: 7, scale: 1 },
  { name: 'icon-maskable-512.png', size: 512, radius: 0, scale: 0.72 },
  { name: 'apple-touch-icon.png', size: 180, radius: 0, scale: 0.86 },
] as const;
for (const { name, size, radius, scale } of ICONS) {
  writeFileSync(join(import.meta.dirname, 'public', name), draw(size, { radius, scale }));
}
