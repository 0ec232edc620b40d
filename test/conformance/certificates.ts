/** A certificate authority of its own for the tests of conformance, made by openssl. @module */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What both ends of a connection need, in PEM. */
export interface TestCertificates {
  readonly ca: string;
  readonly server: { readonly cert: string; readonly key: string };
  readonly client: { readonly cert: string; readonly key: string };
}

/** Makes an authority, a server certificate for localhost, and a client certificate. */
export function makeCertificates(): TestCertificates {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-conformance-'));
  const file = (name: string): string => join(folder, name);
  const openssl = (...args: readonly string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  };
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  try {
    openssl('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=ca');
    writeFileSync(file('names'), 'subjectAltName=DNS:localhost');
    const issue = (name: string): { cert: string; key: string } => {
      const [key, request, cert] = [`${name}.key`, `${name}.csr`, `${name}.crt`];
      openssl('req', ...newKey, '-keyout', key, '-out', request, '-subj', `/CN=${name}`);
      const signing = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2'];
      openssl('x509', '-req', '-in', request, '-out', cert, '-extfile', 'names', ...signing);
      return { cert: readFileSync(file(cert), 'utf8'), key: readFileSync(file(key), 'utf8') };
    };
    return {
      ca: readFileSync(file('ca.crt'), 'utf8'),
      server: issue('server'),
      client: issue('client'),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
