/** Makes the files that SWUpdate installs: a cpio archive with a signed description first. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '@holdfast/testkit';

/** Who signs. */
export interface Signer {
  readonly certificate: string;
  readonly key: string;
}

/** Makes a certificate that SWUpdate trusts by its file: `swupdate -k`. */
export async function makeSigner(folder: string, name: string): Promise<Signer> {
  const [key, certificate] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)];
  const made = await run('openssl', [
    ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30'.split(' '),
    '-subj',
    `/CN=${name}`,
    '-addext',
    'extendedKeyUsage=codeSigning',
    '-keyout',
    key,
    '-out',
    certificate,
  ]);
  if (made.code !== 0) throw new Error(made.stderr);
  return { certificate, key };
}

/** A file that is installed at a path, signed: what `mkimage`-like tools of SWUpdate make. */
export async function makeSwu(
  folder: string,
  image: Uint8Array,
  { target, version, signer }: { target: string; version: string; signer: Signer },
): Promise<Buffer> {
  const sha256 = createHash('sha256').update(image).digest('hex');
  const description = `software = {
  version = "${version}";
  hardware-compatibility: [ "1.0" ];
  files: (
    { filename = "app.bin"; path = "${target}"; type = "rawfile"; sha256 = "${sha256}"; }
  );
}
`;
  const [plain, signature] = [join(folder, 'sw-description'), join(folder, 'sw-description.sig')];
  writeFileSync(plain, description);
  const signed = await run('openssl', [
    ...'cms -sign -outform DER -nosmimecap -binary'.split(' '),
    '-in',
    plain,
    '-out',
    signature,
    '-signer',
    signer.certificate,
    '-inkey',
    signer.key,
  ]);
  if (signed.code !== 0) throw new Error(signed.stderr);
  return cpio([
    ['sw-description', Buffer.from(description, 'utf8')],
    ['sw-description.sig', readFileSync(signature)],
    ['app.bin', image],
  ]);
}

/** A cpio archive in the "new ASCII format with checksums", the one that SWUpdate streams. */
function cpio(files: readonly (readonly [name: string, bytes: Uint8Array])[]): Buffer {
  const parts = files.flatMap(([name, bytes], at) => entry(name, bytes, at + 1));
  return Buffer.concat([...parts, ...entry('TRAILER!!!', Buffer.alloc(0), 0)]);
}

function entry(name: string, bytes: Uint8Array, inode: number): Buffer[] {
  const sum = bytes.reduce((total, byte) => (total + byte) >>> 0, 0);
  const mode = 0o100_644;
  const numbers = [inode, mode, 0, 0, 1, 0, bytes.length, 0, 0, 0, 0, name.length + 1, sum];
  const header = `070702${numbers.map((each) => each.toString(16).padStart(8, '0')).join('')}`;
  return [padded(Buffer.from(`${header}${name}\0`, 'latin1')), padded(Buffer.from(bytes))];
}

/** Names and contents begin at multiples of four. */
function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
