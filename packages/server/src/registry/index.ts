/** Devices and people, their states and keys: what the stages of the flow obey. @module */
export * from './device-classes.ts';
export * from './device-records.ts';
export * from './device-registry.ts';
export * from './payload-keys.ts';
export * from './people-records.ts';
export * from './people.ts';
