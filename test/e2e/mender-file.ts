/** Makes the files that Mender's client installs, without Mender's own tool. */
import { createHash, sign } from 'node:crypto';
import { gzipSync } from 'node:zlib';

/** What an artifact says of itself. */
export interface MenderFacts {
  /** The client compares it with what the server tells: `<line>@<version>`. */
  readonly name: string;
  readonly deviceType: string;
  /** The update module: the program in /usr/share/mender/modules/v3. */
  readonly type: string;
  /** Files of the payload. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** PEM of the private key that signs it. */
  readonly key: string;
}

/**
 * An artifact of version 3: a tar of `version`, `manifest`, its signature, the header and the data.
 * @see https://github.com/mendersoftware/mender-artifact/blob/master/Documentation/artifact-format-v3.md
 */
export function makeMenderFile({ name, deviceType, type, files, key }: MenderFacts): Buffer {
  const version = json({ format: 'mender', version: 3 });
  const header = gzipSync(
    tar({
      'header-info': json({
        payloads: [{ type }],
        artifact_provides: { artifact_name: name },
        artifact_depends: { device_type: [deviceType] },
      }),
      'headers/0000/type-info': json({ type }),
      'headers/0000/meta-data': json({}),
    }),
  );
  const sums = Object.entries(files).map(([file, bytes]) => [`data/0000/${file}`, bytes] as const);
  const listed = [...sums, ['header.tar.gz', header] as const, ['version', version] as const];
  const manifest = Buffer.from(
    listed
      .map(([file, bytes]) => `${createHash('sha256').update(bytes).digest('hex')}  ${file}\n`)
      .join(''),
  );
  // ECDSA in the form of IEEE P1363, base64.
  const signature = sign('sha256', manifest, { key, dsaEncoding: 'ieee-p1363' }).toString('base64');
  return tar({
    version,
    manifest,
    'manifest.sig': Buffer.from(signature),
    'header.tar.gz': header,
    'data/0000.tar.gz': gzipSync(tar(files), { level: 1 }),
  });
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value), 'utf8');
}

/** A POSIX tar with regular files. */
function tar(files: Readonly<Record<string, Uint8Array>>): Buffer {
  const entries = Object.entries(files).flatMap(([name, bytes]) => {
    const header = Buffer.alloc(512);
    const put = (text: string, at: number): number => header.write(text, at, 'latin1');
    put(name, 0);
    put('0000644\0', 100);
    put('0000000\0', 108);
    put('0000000\0', 116);
    put(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124);
    put('00000000000\0', 136);
    put('        ', 148);
    put('0', 156);
    put('ustar\x0000', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    put(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [header, Buffer.from(bytes), Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...entries, Buffer.alloc(1_024)]);
}
