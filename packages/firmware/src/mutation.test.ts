/** Goal: what is nearly valid is read or refused, never thrown. Method: valid inputs, mutated. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import fc from 'fast-check';
import { rawSignature } from './detached/ecdsa-forms.ts';
import { verifyDetached } from './detached/index.ts';
import { testSigner } from './detached/signer.testing.ts';
import { decodeTree } from './fit/decode-tree.ts';
import { encodeTree } from './fit/encode-tree.ts';
import { node, text } from './fit/tree.ts';
import { readMcuboot, signMcuboot } from './mcuboot/index.ts';
import { readAttestationKey } from './measured-boot/attestation-key.ts';
import { eventLogOf } from './measured-boot/event-log.testing.ts';
import { readEventLog, replay } from './measured-boot/event-log.ts';
import { isSignedBy, readQuote } from './measured-boot/quote.ts';
import { isAffected, readOsv, readSbom, readZip } from './sbom/index.ts';
import { decodeCbor } from './suit/decode-cbor.ts';
import { readSuit, suitEnvelope, suitManifest } from './suit/index.ts';
import { readManifest } from './suit/read-manifest.ts';

const SIGNERS = [testSigner('ecdsa-p256'), testSigner('ed25519')];
const KEYS = SIGNERS.map(({ publicKey }) => publicKey);

/** Bytes changed, cut out, doubled and put in at some places. */
function mutants(valid: Uint8Array): fc.Arbitrary<Buffer> {
  const place = fc.nat({ max: valid.length });
  const odd = fc.constantFrom(0, 1, 0x7f, 0x80, 0xff);
  const change = fc.record({
    at: place,
    kind: fc.constantFrom('set', 'cut', 'double', 'put', 'end'),
    bytes: fc.array(fc.oneof(odd, fc.nat({ max: 255 })), { minLength: 1, maxLength: 8 }),
  });
  return fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) =>
    changes.reduce((now, { at, kind, bytes }) => {
      const [before, after] = [now.subarray(0, at), now.subarray(at)];
      const count = bytes[0] ?? 0;
      if (kind === 'set')
        return Buffer.concat([before, Buffer.from(bytes), after.subarray(bytes.length)]);
      if (kind === 'cut') return Buffer.concat([before, after.subarray(count)]);
      if (kind === 'double') return Buffer.concat([before, after.subarray(0, count), after]);
      return kind === 'put'
        ? Buffer.concat([before, Buffer.from(bytes), after])
        : Buffer.from(before);
    }, Buffer.from(valid)),
  );
}

function neverThrows(valid: Uint8Array, read: (bytes: Buffer) => unknown, numRuns = 300) {
  fc.assert(
    fc.property(mutants(valid), (bytes) => {
      read(bytes);
    }),
    { numRuns },
  );
}

const RELEASE = {
  vendor: 'example.com',
  hardware: ['thermo-a', 'thermo-b'],
  sequence: 7,
  image: { length: 34_768, sha256: 'ab'.repeat(32) },
  uri: 'https://updates.example.com/image.bin',
} as const;

test('SUIT: envelopes, signed or not, and manifests', async () => {
  const manifest = suitManifest(RELEASE);
  const envelope = await suitEnvelope(manifest, SIGNERS);
  neverThrows(envelope, (bytes) => readSuit(bytes, KEYS));
  neverThrows(manifest, (bytes) => {
    decodeCbor(bytes);
    readManifest(bytes, new Map());
  });
});

test('MCUboot images', async () => {
  for (const signer of SIGNERS) {
    const version = { major: 2, minor: 1, revision: 3, build: 4 };
    const image = await signMcuboot(Buffer.alloc(64, 7), signer, {
      version,
      counter: 7,
      headerBytes: 32,
      padHeader: true,
    });
    assert.ok(!(image instanceof Refusal));
    neverThrows(image, (bytes) => readMcuboot(bytes, KEYS));
  }
});

test('detached signatures', async () => {
  for (const signer of SIGNERS) {
    const artifact = Buffer.from('x');
    const signature = await signer.sign(artifact);
    neverThrows(signature, (bytes) => {
      rawSignature(bytes);
      verifyDetached({ artifact, signature: bytes, publicKey: signer.publicKey });
    });
  }
});

test('device trees', () => {
  const tree = encodeTree(
    node(
      '',
      [['compatible', text('demo')]],
      [node('images', [['data', Buffer.alloc(9)]]), node('config', [])],
    ),
  );
  neverThrows(tree, decodeTree);
});

test('event logs, quotes, signatures and keys of a TPM', () => {
  const digest = '11'.repeat(32);
  neverThrows(
    eventLogOf(
      [
        { pcr: 8, digest },
        { pcr: 9, digest },
      ],
      {
        banks: [
          [4, 20],
          [11, 32],
        ],
      },
    ),
    (bytes) => {
      replay(readEventLog(bytes) ?? []);
    },
  );
  neverThrows(QUOTE, readQuote);
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = { publicKey, scheme: 'ecdsa-p256-sha256', name: Buffer.alloc(34) } as const;
  const half = Buffer.concat([Buffer.from('0020', 'hex'), Buffer.alloc(32, 9)]);
  neverThrows(Buffer.concat([Buffer.from('0018000b', 'hex'), half, half]), (signature) =>
    isSignedBy(QUOTE, { signature, key }),
  );
  const jwk = publicKey.export({ format: 'jwk' });
  const area = Buffer.concat([
    Buffer.from('0023000b00050072000000100018000b00030010', 'hex'),
    ...[jwk.x, jwk.y].map((part) =>
      Buffer.concat([Buffer.from('0020', 'hex'), Buffer.from(part ?? '', 'base64url')]),
    ),
  ]);
  assert.notEqual(typeof readAttestationKey(area), 'string');
  neverThrows(area, readAttestationKey);
});

const QUOTE = Buffer.concat([
  Buffer.from('ff5443478018', 'hex'),
  Buffer.from('0004', 'hex'),
  Buffer.alloc(4),
  Buffer.from('0004', 'hex'),
  Buffer.alloc(4),
  Buffer.alloc(25),
  Buffer.from('00000001000b03000300', 'hex'),
  Buffer.from('0020', 'hex'),
  Buffer.alloc(32),
]);

test('records of vulnerabilities and bills of materials', () => {
  const affected = [
    {
      package: { ecosystem: 'Debian:12', name: 'curl' },
      ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '8.1-2' }] }],
      versions: ['8.0'],
    },
  ];
  const severity = [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }];
  const record = {
    id: 'GHSA-1',
    aliases: ['CVE-1'],
    details: 'x',
    affected,
    severity,
    database_specific: { severity: 'LOW' },
  };
  neverThrows(Buffer.from(JSON.stringify(record)), (bytes) => {
    const read = readOsv(bytes);
    if (read instanceof Refusal) return;
    for (const { advisory } of read.affected) isAffected(advisory, { version: '8.0.1' });
  });
  const bom = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    components: [{ name: 'a', version: '1', purl: 'pkg:npm/a@1', components: [{ name: 'b' }] }],
  };
  neverThrows(Buffer.from(JSON.stringify(bom)), readSbom);
  // Members of another type than they should have, at every place.
  const values: unknown[] = [
    null,
    1,
    [],
    {},
    { toString: null },
    { toString: null, valueOf: null },
    '',
    true,
  ];
  for (const value of values) {
    const { severity: _, ...unscored } = record;
    for (const [whole, read] of [
      [record, readOsv],
      [unscored, readOsv],
      [bom, readSbom],
    ] as const) {
      for (const odd of oddities(whole, value)) read(Buffer.from(JSON.stringify(odd)));
    }
  }
});

/** The whole with the value at each of its places in turn. */
function* oddities(of: unknown, value: unknown): Generator {
  if (typeof of !== 'object' || of === null) return;
  for (const [name, member] of Object.entries(of)) {
    const put = (inner: unknown) =>
      Array.isArray(of) ? of.with(Number(name), inner) : { ...of, [name]: inner };
    yield put(value);
    for (const inner of oddities(member, value)) yield put(inner);
  }
}

test('a zip', () => {
  const zip = Buffer.from(
    'UEsDBBQAAAAAAAAAIQCMJ7joAQAAAAEAAAABAAAAYXhQSwECFAAUAAAAAAAAACEAjCe46AEAAAABAAAAAQAAAAAAAAAAAAAAgAEAAAAAYVBLBQYAAAAAAQABAC8AAAAgAAAAAAA=',
    'base64',
  );
  assert.ok(!(readZip(zip) instanceof Refusal));
  neverThrows(zip, (bytes) => {
    const files = readZip(bytes);
    if (files instanceof Refusal) return;
    for (const file of files) file.content();
  });
});
