/** The JSON form of signed payloads: an object that carries the HMAC of itself in "sig". @module */
export * from './canonical-json.ts';
export * from './limits.ts';
export * from './parse-signed-json.ts';
export * from './prepare-signed-json.ts';
export { timeMsOf } from './time.ts';
