/** Deltas: new images as differences to old ones. @module */
export { applyDelta, streamDelta } from './apply-delta.ts';
export type { ExpectedImage } from './apply-delta.ts';
export { makeDelta } from './make-delta.ts';
export type { MadeDelta } from './make-delta.ts';
export { DELTA_IMAGE_BYTES_MAX } from './limits.ts';
