/** Payload form 2: any bytes, signed in the user properties of MQTT 5. @module */
export * from './parse-signed-properties.ts';
export * from './signed-header.ts';
