/**
 * SHA-256 that answers at once: WebCrypto gives promises, and a tree takes millions of short hashes.
 * Nothing secret is hashed here. FIPS 180-4
 * @module
 */

const ROUND_CONSTANTS = fractionsOfRoots(3, 64);
const INITIAL_STATE = fractionsOfRoots(2, 8);
const BLOCK_BYTES = 64;
const LENGTH_BYTES = 8;

const schedule = new Int32Array(64);

/** SHA-256 of `data`: 32 bytes that belong to the caller. */
export function sha256(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const state = INITIAL_STATE.slice();
  const whole = data.length - (data.length % BLOCK_BYTES);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  for (let at = 0; at < whole; at += BLOCK_BYTES) compress(state, view, at);
  const tail = tailOf(data, whole);
  const tailView = new DataView(tail.buffer);
  for (let at = 0; at < tail.length; at += BLOCK_BYTES) compress(state, tailView, at);
  const digest = new Uint8Array(32);
  const out = new DataView(digest.buffer);
  for (let at = 0; at < 8; at += 1) out.setInt32(at * 4, state[at] ?? 0);
  return digest;
}

/** What is left, a bit that is set, zeros, and the length in bits. FIPS 180-4 §5.1.1 */
function tailOf(data: Uint8Array, from: number): Uint8Array<ArrayBuffer> {
  const left = data.length - from;
  const isShort = left + 1 + LENGTH_BYTES <= BLOCK_BYTES;
  const tail = new Uint8Array(isShort ? BLOCK_BYTES : 2 * BLOCK_BYTES);
  tail.set(data.subarray(from));
  tail[left] = 0x80;
  const view = new DataView(tail.buffer);
  view.setUint32(tail.length - 8, Math.floor(data.length / 0x2000_0000));
  view.setUint32(tail.length - 4, (data.length << 3) >>> 0);
  return tail;
}

/** FIPS 180-4 §6.2.2 */
function compress(state: Int32Array, view: DataView, at: number): void {
  const w = schedule;
  for (let t = 0; t < 16; t += 1) w[t] = view.getInt32(at + t * 4);
  for (let t = 16; t < 64; t += 1) {
    const x = w[t - 15] ?? 0;
    const y = w[t - 2] ?? 0;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[t] = ((w[t - 16] ?? 0) + s0 + (w[t - 7] ?? 0) + s1) | 0;
  }
  let a = state[0] ?? 0;
  let b = state[1] ?? 0;
  let c = state[2] ?? 0;
  let d = state[3] ?? 0;
  let e = state[4] ?? 0;
  let f = state[5] ?? 0;
  let g = state[6] ?? 0;
  let h = state[7] ?? 0;
  for (let t = 0; t < 64; t += 1) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const choice = (e & f) ^ (~e & g);
    const t1 = (h + s1 + choice + (ROUND_CONSTANTS[t] ?? 0) + (w[t] ?? 0)) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const majority = (a & b) ^ (a & c) ^ (b & c);
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + s0 + majority) | 0;
  }
  state[0] = (state[0] ?? 0) + a;
  state[1] = (state[1] ?? 0) + b;
  state[2] = (state[2] ?? 0) + c;
  state[3] = (state[3] ?? 0) + d;
  state[4] = (state[4] ?? 0) + e;
  state[5] = (state[5] ?? 0) + f;
  state[6] = (state[6] ?? 0) + g;
  state[7] = (state[7] ?? 0) + h;
}

/**
 * The first 32 bits of the fractional parts of the roots of the first primes. FIPS 180-4 §4.2.2
 * A double has bits to spare for these; the test compares with another implementation.
 */
function fractionsOfRoots(degree: 2 | 3, count: number): Int32Array {
  const words = new Int32Array(count);
  let found = 0;
  for (let candidate = 2; found < count; candidate += 1) {
    if (!isPrime(candidate)) continue;
    const root = degree === 2 ? Math.sqrt(candidate) : Math.cbrt(candidate);
    words[found] = Math.floor((root % 1) * 2 ** 32) | 0;
    found += 1;
  }
  return words;
}

function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor += 1) {
    if (number % divisor === 0) return false;
  }
  return true;
}
