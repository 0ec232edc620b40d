/** Starts servers and runs real clients, for the tests across packages. @module */
export * from './browser.ts';
export * from './holdfast.ts';
export * from './in-process.ts';
export * from './mosquitto.ts';
export * from './paired-app.ts';
export * from './pebble.ts';
export * from './radosgw.ts';
export * from './raw-client.ts';
export * from './readme.ts';
export * from './run.ts';
export * from './softhsm.ts';
export * from './stored-counters.ts';
export * from './virtual-clock.ts';
