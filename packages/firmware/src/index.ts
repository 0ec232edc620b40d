/** Firmware: what signers, server and devices agree on. @module */
export * from './delta/index.ts';
export * from './detached/index.ts';
export * from './fit/index.ts';
export * from './mcuboot/index.ts';
export * from './measured-boot/index.ts';
export * from './metadata/index.ts';
export * from './release.ts';
export * from './report.ts';
export * from './request/index.ts';
export * from './sbom/index.ts';
export * from './suit/index.ts';
