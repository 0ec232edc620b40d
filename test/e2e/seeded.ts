/** Chance that can be had again: a test prints its seed. @module */

/** The seed of this run: that of HOLDFAST_SEED, or a new one. */
export function seedOfRun(): number {
  const given = process.env['HOLDFAST_SEED'];
  return given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given);
}

/** Numbers from 0 on and below 1, always the same for a seed: SplitMix32. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}
