/** Is it genuine? Signature, time and counter of each payload. @module */
export * from './device-verifier.ts';
export * from './replay-window.ts';
export * from './sign-command.ts';
export { VerifiedMessage } from './verified-message.ts';
