/** Bills of materials, and known vulnerabilities. @module */
export { ADVISORY_FILE_HEAD, advisoryLine, readAdvisory } from './advisory-file.ts';
export { readSbom } from './cyclonedx.ts';
export type { Sbom, SbomComponent } from './cyclonedx.ts';
export { OSV_RECORD_BYTES_MAX, SBOM_BYTES_MAX } from './limits.ts';
export { isAffected } from './match.ts';
export { AdvisorySchema, SeveritySchema, readOsv } from './osv.ts';
export type { Advisory, AdvisorySeverity, OsvRecord } from './osv.ts';
export { packageKey, readPurl } from './purl.ts';
export type { PackageName, PackageVersion } from './purl.ts';
export { readZip } from './zip.ts';
export type { ZipFile } from './zip.ts';
