/** The ports of a server that is told nothing else. @module */
export const PORTS = { broker: '8883', api: '8443', enroll: '8444' } as const;
