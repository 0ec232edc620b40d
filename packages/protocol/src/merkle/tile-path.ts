/** Where a tile is served. C2SP tlog-tiles, "Merkle Tree". @module */
import { SIZE_MAX } from './arithmetic.ts';
import { TILE_LEVEL_COUNT, TILE_WIDTH_MAX } from './tile.ts';

/** A tile as it is asked for. */
export interface TileName {
  /** Tile level, 0 to 6. */
  readonly level: number;
  /** Position within its level, from 0. */
  readonly index: number;
  /** Hashes in it, 1 to 256; 256 is a full tile. */
  readonly width: number;
}

const LEVEL = /^[0-6]$/;
/** Groups of three digits, all but the last one behind an `x`. */
const INDEX = /^(?:x[0-9]{3}\/)*[0-9]{3}$/;
const WIDTH = /^[1-9][0-9]{0,2}$/;

/** Path of a tile below the prefix of its log: `tile/0/x001/x234/067`, `tile/0/000.p/7`. */
export function tilePath({ level, index, width }: TileName): string {
  const groups: string[] = [];
  for (let rest = index; groups.length === 0 || rest > 0; rest = Math.floor(rest / 1_000)) {
    const digits = String(rest % 1_000).padStart(3, '0');
    groups.unshift(groups.length === 0 ? digits : `x${digits}`);
  }
  const partial = width === TILE_WIDTH_MAX ? '' : `.p/${width}`;
  return `tile/${level}/${groups.join('/')}${partial}`;
}

/**
 * Reads what follows `tile/` in the path of a tile.
 * @returns undefined for anything but the one spelling of a tile's name.
 */
export function parseTilePath(path: string): TileName | undefined {
  const slash = path.indexOf('/');
  const [place = '', partial, ...rest] = path.slice(slash + 1).split('.p/');
  if (slash === -1 || rest.length > 0) return undefined;
  const levelText = path.slice(0, slash);
  if (!LEVEL.test(levelText) || !INDEX.test(place)) return undefined;
  if (partial !== undefined && !WIDTH.test(partial)) return undefined;
  const width = partial === undefined ? TILE_WIDTH_MAX : Number(partial);
  const name = { level: Number(levelText), index: Number(place.replace(/[x/]/g, '')), width };
  const isPossible =
    name.level < TILE_LEVEL_COUNT &&
    name.index <= SIZE_MAX / TILE_WIDTH_MAX &&
    (partial === undefined || width < TILE_WIDTH_MAX);
  return isPossible && tilePath(name) === `tile/${path}` ? name : undefined;
}
