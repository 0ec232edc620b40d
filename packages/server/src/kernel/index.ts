/** Time, randomness, secrets, refusals, faults and logs: what every folder may use. @module */
export * from './background.ts';
export * from './clock.ts';
export * from './fault.ts';
export * from './fifo.ts';
export * from './hold-off.ts';
export * from './log.ts';
export * from './network.ts';
export * from './random.ts';
export * from './refusals.ts';
export * from './secret.ts';
export * from './window-counter.ts';
