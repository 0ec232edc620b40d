/** Certificates as an attacker makes them, by openssl, also with issuing keys that were stolen. @module */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A certificate with what belongs in front of its root, and its key; PEM. */
export interface Credential {
  readonly cert: string;
  readonly key: string;
}

/** A certificate to be made. */
export interface Forgery {
  /** Name of its file. */
  readonly name: string;
  /** Name of the files of its issuer. */
  readonly issuer: string;
  /** As `openssl -subj` takes it. */
  readonly subject?: string;
  /** Lines of an extension section. */
  readonly extensions: readonly string[];
  /** Days from now. */
  readonly fromDays?: number;
  readonly toDays?: number;
  /** Further certificates to show, by name. */
  readonly chain?: readonly string[];
}

const CONFIG = `[ca]
default_ca = any
[any]
database = index.txt
rand_serial = yes
new_certs_dir = .
default_md = sha256
unique_subject = no
copy_extensions = none
policy = anything
[anything]
commonName = optional
`;
const DAY_MS = 86_400_000;
const P256 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** A folder with one key for all leaves, and the authorities that are put into it. */
export class Forge {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    writeFileSync(this.path('ca.cnf'), CONFIG);
    writeFileSync(this.path('index.txt'), '');
    this.openssl('req', '-new', ...P256, '-keyout', 'leaf.key', '-subj', '/CN=x', '-out', 'x.csr');
  }

  path(name: string): string {
    return join(this.#folder, name);
  }

  /** Runs openssl in the folder. */
  openssl(...args: readonly string[]): Buffer {
    return execFileSync('openssl', args, { cwd: this.#folder, stdio: ['ignore', 'pipe', 'pipe'] });
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  /** Takes in an authority that is there already. */
  adopt(name: string, { cert, key }: Credential): void {
    writeFileSync(this.path(`${name}.crt`), cert);
    writeFileSync(this.path(`${name}.key`), key, { mode: 0o600 });
  }

  /** Makes an authority of its own; `subjectKeyId` is in hexadecimal. */
  makeRoot(name: string, subject: string, subjectKeyId?: string): void {
    const files = ['-keyout', `${name}.key`, '-out', `${name}.crt`];
    const id =
      subjectKeyId === undefined ? [] : ['-addext', `subjectKeyIdentifier=${subjectKeyId}`];
    const kind = ['req', '-x509', '-utf8', ...P256, '-days', '9', '-subj', subject];
    this.openssl(...kind, ...id, ...files);
  }

  make(forgery: Forgery): Credential {
    const { name, issuer, subject = '/CN=pump-1', extensions, chain = [] } = forgery;
    const { fromDays = -2, toDays = 9 } = forgery;
    writeFileSync(this.path(`${name}.ext`), `${extensions.join('\n')}\n`);
    const by = ['-cert', `${issuer}.crt`, '-keyfile', `${issuer}.key`];
    const dates = ['-startdate', asn1Time(fromDays), '-enddate', asn1Time(toDays)];
    const what = ['-in', 'x.csr', '-subj', subject, '-extfile', `${name}.ext`, '-notext'];
    const base = ['ca', '-batch', '-utf8', '-config', 'ca.cnf'];
    this.openssl(...base, ...by, ...dates, ...what, '-out', `${name}.crt`);
    const shown = [name, ...chain].map((one) => this.read(`${one}.crt`));
    return { cert: shown.join(''), key: this.read('leaf.key') };
  }
}

function asn1Time(days: number): string {
  const iso = new Date(Date.now() + days * DAY_MS).toISOString();
  return `${iso.slice(0, 19).replaceAll(/[-:T]/gu, '')}Z`;
}
