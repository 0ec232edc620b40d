/** Certificates: the authority, certificate requests, the check of clients, and pins. @module */
export * from './authority.ts';
export { type IssuedCertificate, certificatePem } from './certificate.ts';
export * from './certs-only.ts';
export * from './check-client-certificate.ts';
export { CSR_BYTES_MAX, type CertificateRequest, parseCsr } from './csr.ts';
export * from './pins.ts';
export * from './server-certificate.ts';
