/** Starts servers and runs real clients, for the tests across packages. @module */
export * from './holdfast.ts';
export * from './mosquitto.ts';
export * from './run.ts';
