/** What the command line does with the file of an offline root, away from the server. @module */
import { Refusal, parseTenantName } from '@holdfast/protocol';
import { Fault, Secret, systemClock, systemRandom } from '../kernel/index.ts';
import { type ByRole, openRootFile, proveRoot, signRequests } from '../pki/index.ts';

/** The file that `ca export-root` wrote, and its passphrase. */
export interface RootFile {
  readonly text: string;
  readonly passphrase: string;
}

/** What the server asks the root to sign. */
export interface SigningRequest {
  readonly tenant: string;
  readonly generation: number;
  /** PKCS#10 in PEM. */
  readonly requests: ByRole<string>;
}

/**
 * Signs a next generation with the root. The requests give their public keys and nothing else:
 * what the certificates say is fixed here, whatever the server asks for.
 * @returns certificates in PEM.
 * @throws Fault `E_PKI_ROOT_FILE`, or `E_PKI_REQUEST` when the server asks for what is not signed.
 */
export function signWithRoot(file: RootFile, request: SigningRequest): ByRole<string> {
  const root = openRootFile(file.text, new Secret(file.passphrase));
  const tenant = parseTenantName(request.tenant);
  if (tenant instanceof Refusal) throw requestFault(tenant);
  const { generation, requests } = request;
  const signing = { clock: systemClock, random: systemRandom, root, tenant, generation };
  const signed = signRequests(requests, signing);
  if (signed instanceof Refusal) throw requestFault(signed);
  return signed;
}

/**
 * Proves that the file of an exported root opens.
 * @param challenge - as the server gave it with the export.
 * @throws Fault `E_PKI_ROOT_FILE`.
 */
export function proveExportedRoot(file: RootFile, challenge: string): string {
  return proveRoot(openRootFile(file.text, new Secret(file.passphrase)), challenge);
}

function requestFault({ detail }: Refusal): Fault {
  return new Fault({
    code: 'E_PKI_REQUEST',
    what: `The server asks the root for what it does not sign: ${detail}.`,
    fix: 'Check that you talk to the right server, and that both have the same version.',
  });
}
