/** The HTTPS API of people and their tools. @module */
export { type Api, createApi } from './api.ts';
export type { ApiDeps, ServerStatus } from './deps.ts';
