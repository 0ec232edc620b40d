/** What devices send over HTTPS. @module */
export { ApiKeyHeader } from './api-key-header.ts';
export { Ingest, type IngestDeps } from './ingest.ts';
export { BodyReader, type HeldBody } from './read-body.ts';
