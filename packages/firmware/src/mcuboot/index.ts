/** Images for MCUboot. @module */
export { MCUBOOT_BYTES_MAX } from './limits.ts';
export { readMcubootVersion } from './format.ts';
export type { McubootVersion } from './format.ts';
export { readMcuboot } from './read-image.ts';
export type { McubootImage } from './read-image.ts';
export { signMcuboot } from './sign-image.ts';
export type { McubootOptions, McubootSlot } from './sign-image.ts';
