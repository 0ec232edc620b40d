/** Durable before acknowledged: the journal and what is put into it. @module */
export * from './journal.ts';
export * from './message-journal.ts';
export * from './refusal-recorder.ts';
