import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { type KeyObject, constants, generateKeyPairSync, sign, verify } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import fc from 'fast-check';
import { readBootKeyFile } from './boot-key-file.ts';
import { fixBootCommand, readBootKey, trustBootKeys } from './boot-key.ts';
import { decodeTree } from './decode-tree.ts';
import { encodeTree } from './encode-tree.ts';
import { TREE_BYTES_MAX, TREE_DEPTH_MAX, TREE_NAME_BYTES_MAX } from './limits.ts';
import { type FitContent, SIGNED_NODES, makeFit } from './make-fit.ts';
import { signedRegions } from './signed-regions.ts';
import { type TreeNode, cells, childOf, node, text, valueOf } from './tree.ts';

const keys = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const PEM = keys.publicKey.export({ format: 'pem', type: 'spki' });
const TREE = encodeTree(node('', [['compatible', text('demo', 'linux,dummy-virt')]]));
const CONTENT: FitContent = {
  release: 'thermo@2.1.0',
  version: '2.1.0',
  counter: 7,
  hardware: ['thermo-a', 'thermo-b'],
  madeMs: 1_700_000_000_000,
  tree: TREE,
  kernel: {
    bytes: Buffer.from('the content'),
    architecture: 'arm64',
    compression: 'none',
    loadAt: 0x40400000,
    enterAt: 0x40400000,
  },
};

function accept<T>(result: T | Refusal): T {
  return result instanceof Refusal ? assert.fail(result.detail) : result;
}

const signer = {
  ...accept(readBootKey('boot', PEM)),
  sign: async (bytes: Uint8Array) => sign('sha256', bytes, keys.privateKey),
};

function at(root: TreeNode, path: string): TreeNode {
  const names = path.split('/').filter((name) => name !== '');
  return names.reduce((of, name) => childOf(of, name) ?? assert.fail(path), root);
}

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-fit-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('a tree comes back as it was written', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9,-]{0,8}$/u);
  const properties = fc.array(fc.tuple(name, fc.uint8Array({ maxLength: 9 })), { maxLength: 4 });
  const leaf = fc.record({ name, properties, children: fc.constant<TreeNode[]>([]) });
  const above = (below: fc.Arbitrary<TreeNode>): fc.Arbitrary<TreeNode> =>
    fc.record({ name, properties, children: fc.array(below, { maxLength: 3 }) });
  const tree = above(above(leaf));
  fc.assert(
    fc.property(tree, fc.nat(), (root, bootProcessor) => {
      const decoded = accept(decodeTree(encodeTree({ ...root, name: '' }, { bootProcessor })));
      assert.equal(decoded.extras.bootProcessor, bootProcessor);
      const again = encodeTree(decoded.root, decoded.extras);
      assert.deepEqual(again, encodeTree({ ...root, name: '' }, { bootProcessor }));
    }),
  );
});

test('whatever bytes are no tree, they are refused and nothing is thrown', () => {
  const change = fc.tuple(fc.nat({ max: TREE.length - 1 }), fc.nat({ max: 255 }));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 4 }), fc.nat({ max: TREE.length }), (all, end) => {
      const bytes = Buffer.from(TREE.subarray(0, end));
      for (const [where, byte] of all) if (where < end) bytes.writeUInt8(byte, where);
      decodeTree(bytes);
    }),
    { numRuns: 2_000 },
  );
  assert.ok(decodeTree(Buffer.alloc(0)) instanceof Refusal);
  assert.ok(decodeTree(Buffer.alloc(TREE_BYTES_MAX + 1)) instanceof Refusal);
});

test('a tree is as deep as U-Boot reads it, and no deeper', () => {
  const deep = (depth: number): TreeNode =>
    Array.from({ length: depth - 1 }).reduce<TreeNode>(
      (child, _, index) => node(index === depth - 2 ? '' : 'n', [], [child]),
      node('n', []),
    );
  assert.ok(!(decodeTree(encodeTree(deep(TREE_DEPTH_MAX - 1))) instanceof Refusal));
  assert.ok(decodeTree(encodeTree(deep(TREE_DEPTH_MAX))) instanceof Refusal);
});

test('an image says what it is, and its signature covers it', async () => {
  const image = accept(await makeFit(CONTENT, signer));
  const { root } = accept(decodeTree(image));
  const configuration = at(root, '/configurations/conf-1');
  assert.deepEqual(valueOf(configuration, 'holdfast,counter'), cells(7));
  assert.deepEqual(valueOf(configuration, 'holdfast,hardware'), text('thermo-a', 'thermo-b'));
  const signature = at(configuration, '/signature-1');
  assert.deepEqual(valueOf(signature, 'algo'), text('sha256,rsa2048'));
  const signed = Buffer.concat(signedRegions(image, SIGNED_NODES));
  assert.ok(verify('sha256', signed, keys.publicKey, valueOf(signature, 'value') ?? signed));
  assert.ok(!signed.includes('the content'), 'content is signed by its hash alone');
});

test('every byte of an image but content and signature is covered', async () => {
  const image = accept(await makeFit(CONTENT, signer));
  const other = accept(await makeFit({ ...CONTENT, counter: 8 }, signer));
  const bytes = (of: Buffer): Buffer => Buffer.concat(signedRegions(of, SIGNED_NODES));
  assert.notDeepEqual(bytes(image), bytes(other));
  const kernel = { ...CONTENT.kernel, enterAt: 0x40400004 };
  const moved = accept(await makeFit({ ...CONTENT, kernel }, signer));
  assert.notDeepEqual(bytes(image), bytes(moved));
});

test('the same bytes are signed that mkimage signs', (t) => {
  const folder = temporaryFolder(t);
  const path = (name: string): string => join(folder, name);
  writeFileSync(path('boot.key'), keys.privateKey.export({ format: 'pem', type: 'pkcs8' }));
  writeFileSync(path('kernel'), 'the content');
  writeFileSync(path('board.dtb'), TREE);
  writeFileSync(path('image.its'), IMAGE_SOURCE);
  writeFileSync(path('control.dtb'), TREE);
  const request = ['req', '-x509', '-key', 'boot.key', '-subj', '/CN=boot', '-out', 'boot.crt'];
  spawnSync('openssl', request, { cwd: folder });
  const args = ['-f', 'image.its', '-k', '.', '-K', 'control.dtb', '-r', 'image.itb'];
  const made = spawnSync('mkimage', args, { cwd: folder, encoding: 'utf8' });
  if (made.error !== undefined) return t.skip('u-boot-tools is not installed');
  assert.equal(made.status, 0, made.stderr);

  const image = readFileSync(path('image.itb'));
  const signature = at(accept(decodeTree(image)).root, '/configurations/conf-1/signature-1');
  const value = (name: string): Buffer => Buffer.from(valueOf(signature, name) ?? '');
  const nodes = value('hashed-nodes').toString().split('\0').slice(0, -1);
  assert.deepEqual(nodes.toSorted(), [...SIGNED_NODES].toSorted());
  const signed = signedRegions(image, nodes, value('hashed-strings').readUInt32BE(4));
  const padding = constants.RSA_PKCS1_PADDING;
  const key = { key: keys.publicKey, padding };
  assert.ok(verify('sha256', Buffer.concat(signed), key, value('value')));

  // The key stands in the control tree as mkimage puts it there.
  const theirs = accept(decodeTree(readFileSync(path('control.dtb')))).root;
  const ours = accept(trustBootKeys(TREE, [signer])).root;
  const properties = (root: TreeNode): unknown =>
    Object.fromEntries(
      at(root, '/signature/key-boot').properties.map(([name, bytes]) => [
        name,
        Buffer.from(bytes).toString('hex'),
      ]),
    );
  assert.deepEqual(properties(ours), properties(theirs));
});

test('a control tree keeps what it had, and trusts only the keys that are named', () => {
  const before = encodeTree(
    node(
      '',
      [['model', text('demo')]],
      [
        node('config', [
          ['bootcmd', text('anything')],
          ['other', text('kept')],
        ]),
        node('signature', [], [node('key-old', [['required', text('image')]])]),
      ],
    ),
  );
  const trusted = accept(trustBootKeys(before, [signer]));
  const { root } = accept(decodeTree(fixBootCommand(trusted, 'bootm')));
  assert.deepEqual(valueOf(root, 'model'), text('demo'));
  assert.deepEqual(
    at(root, '/signature').children.map(({ name }) => name),
    ['key-boot'],
  );
  assert.deepEqual(valueOf(at(root, '/signature/key-boot'), 'required'), text('conf'));
  assert.deepEqual(at(root, '/config').properties, [
    ['bootcmd', text('bootm')],
    ['other', text('kept')],
    ['load-environment', cells(0)],
    ['bootdelay', cells(0xfffffffe)],
  ]);
});

test('keys that no boot loader could use are refused', () => {
  const pem = (key: { publicKey: KeyObject }): string =>
    key.publicKey.export({ format: 'pem', type: 'spki' });
  const refused: readonly (readonly [string, string])[] = [
    ['boot', pem(generateKeyPairSync('rsa', { modulusLength: 1_024 }))],
    ['boot', pem(generateKeyPairSync('rsa', { modulusLength: 2_048, publicExponent: 3 }))],
    ['boot', pem(generateKeyPairSync('ed25519'))],
    ['boot', keys.privateKey.export({ format: 'pem', type: 'pkcs8' })],
    ['boot', 'no key'],
    ['Boot', PEM],
    ['b'.repeat(32), PEM],
    ['../boot', PEM],
  ];
  for (const [name, given] of refused) {
    const result = readBootKey(name, given);
    assert.ok(result instanceof Refusal && result.code === 'E_UPDATE_FIT', name);
  }
  assert.ok(!(readBootKey('b'.repeat(31), PEM) instanceof Refusal));
  for (const wrong of ['', '{}', 'x'.repeat(16_385)]) {
    assert.ok(readBootKeyFile(wrong) instanceof Refusal);
  }
});

test('an image that cannot be is refused, and a wrong signature is found', async () => {
  const refused: readonly FitContent[] = [
    { ...CONTENT, tree: Buffer.from('no tree') },
    { ...CONTENT, kernel: { ...CONTENT.kernel, bytes: Buffer.alloc(0) } },
    { ...CONTENT, kernel: { ...CONTENT.kernel, loadAt: 2 ** 32 } },
    { ...CONTENT, kernel: { ...CONTENT.kernel, enterAt: 0.5 } },
  ];
  for (const content of refused) assert.ok((await makeFit(content, signer)) instanceof Refusal);
  const other = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey;
  const liar = { ...signer, sign: async (bytes: Uint8Array) => sign('sha256', bytes, other) };
  await assert.rejects(makeFit(CONTENT, liar), /not by the key/);
});

/** The same image for mkimage. */
const IMAGE_SOURCE = `/dts-v1/;
/ {
  description = "thermo@2.1.0"; #address-cells = <1>;
  images {
    kernel-1 {
      description = "thermo"; data = /incbin/("kernel"); type = "kernel"; arch = "arm64";
      os = "linux"; compression = "none"; load = <0x40400000>; entry = <0x40400000>;
      hash-1 { algo = "sha256"; };
    };
    fdt-1 {
      description = "tree"; data = /incbin/("board.dtb"); type = "flat_dt"; arch = "arm64";
      compression = "none"; hash-1 { algo = "sha256"; };
    };
  };
  configurations {
    default = "conf-1";
    conf-1 {
      description = "thermo"; kernel = "kernel-1"; fdt = "fdt-1";
      signature-1 { algo = "sha256,rsa2048"; key-name-hint = "boot"; sign-images = "kernel", "fdt"; };
    };
  };
};
`;

test('names of properties have an end: few bytes of a tree do not fill the memory', () => {
  const named = (length: number) => encodeTree(node('', [['n'.repeat(length), Buffer.of(1)]]));
  accept(decodeTree(named(TREE_NAME_BYTES_MAX)));
  assert.ok(decodeTree(named(TREE_NAME_BYTES_MAX + 1)) instanceof Refusal);
});
