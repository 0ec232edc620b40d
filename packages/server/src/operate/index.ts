/** The HTTPS API of people and their tools. @module */
export { type Api, createApi, openApiDocument } from './api.ts';
export { ConsoleFiles } from './console-files.ts';
export { callerOfUpgrade } from './caller-of-upgrade.ts';
export type { ApiDeps, ServerStatus } from './deps.ts';
export { DeviceSelf } from './device-self.ts';
export type { EscrowFacts, KeyCare, KeyFacts } from './key-care.ts';
export type { LogAudit } from './log-audit.ts';
export type { PublicNameEnd, ServerWatch } from './overview/server-watch.ts';
