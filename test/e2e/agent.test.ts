/** A gateway's agent and its supervisor, as processes, against a real server. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  NOTHING_PUBLISHED,
  type NamedKey,
  type Signer,
  checkRequest,
  documentsOf,
  firstDocuments,
  memorySigner,
  openPublished,
  readPublicKey,
  signRequest,
} from '@holdfast/firmware';
import { Refusal, updateStepWords, updateStories } from '@holdfast/protocol';
import type { SigningRequest } from '@holdfast/protocol/api';
import {
  type InProcessServer,
  run,
  startInProcess,
  temporaryFolder,
  waitFor,
} from '@holdfast/testkit';

const AGENT = fileURLToPath(
  new URL('../../packages/device/bin/holdfast-agent.js', import.meta.url),
);
const LINE = 'gateway';
const HARDWARE = 'gateway-a';

/** A program that says its version and stays. */
function staying(version: string): string {
  return `#!/bin/sh\necho ${version} >> "$STARTED"\nexec sleep 3600\n`;
}

/** A program that says its version and ends. */
function crashing(version: string): string {
  return `#!/bin/sh\necho ${version} >> "$STARTED"\nexit 3\n`;
}

const V1 = staying('1.0.0');

interface Person extends NamedKey {
  readonly signer: Signer;
}

function person(name: string): Person {
  const signer = memorySigner(generateKeyPairSync('ed25519').privateKey);
  return { name, key: signer.key, signer };
}

/** A server with a product line, and the people who sign for it. */
class Shop {
  readonly server: InProcessServer;
  readonly #people = [person('ann'), person('bob')];

  constructor(server: InProcessServer) {
    this.server = server;
  }

  async init(): Promise<void> {
    const { current } = await this.server.client.onlineKeys();
    const { image, director } = current;
    const owners = { keys: this.#people, threshold: 2 };
    const proposals = firstDocuments(
      {
        signers: owners,
        lines: new Map([[LINE, owners]]),
        online: {
          image: { snapshot: keyOf(image.snapshot), timestamp: keyOf(image.timestamp) },
          director: {
            targets: keyOf(director.targets),
            snapshot: keyOf(director.snapshot),
            timestamp: keyOf(director.timestamp),
          },
        },
      },
      { nowMs: Date.now() },
    );
    const { request } = await this.server.client.makeSigningRequest({
      documents: [...documentsOf(proposals)],
    });
    await this.#sign(request);
  }

  /** Both roots as a device is made with them. */
  async roots(): Promise<{ image: Buffer; director: Buffer }> {
    const { documents } = await this.server.client.publishedFirmware();
    const find = (repository: string): Buffer => {
      const root = documents.find((one) => one.repository === repository && one.role === 'root');
      return Buffer.from(root?.metadata ?? '', 'base64');
    };
    return { image: find('image'), director: find('director') };
  }

  async release(version: string, program: string, counter: number): Promise<string> {
    const bytes = Buffer.from(program);
    const { client } = this.server;
    const read = (start: number, end: number) => Promise.resolve(bytes.subarray(start, end));
    const { sha256 } = await client.uploadArtifact({ length: bytes.length, read });
    const { request } = await client.proposeRelease({
      sha256,
      fileName: 'gateway.sh',
      release: { line: LINE, version, hardware: [HARDWARE], counter },
    });
    await this.#sign(request);
    return `${LINE}@${version}`;
  }

  async #sign(request: SigningRequest): Promise<void> {
    const { documents } = request;
    const published =
      request.published.length === 0 ? NOTHING_PUBLISHED : openPublished(request.published);
    assert.ok(!(published instanceof Refusal));
    const checked = checkRequest(documents, { published, nowMs: Date.now() });
    assert.ok(!(checked instanceof Refusal));
    for (const { signer } of this.#people) {
      const file = await signRequest(checked, signer);
      assert.ok(!(file instanceof Refusal));
      await this.server.client.submitSignatures(file);
    }
  }
}

/** A gateway in a folder: its configuration, its slots and its processes. */
class Gateway {
  readonly id = 'gateway-1';
  readonly folder: string;
  readonly log: string[] = [];
  #child: ChildProcess | undefined;

  constructor(folder: string) {
    this.folder = folder;
  }

  async make(shop: Shop, change: object = {}): Promise<void> {
    const { folder: bundle } = await shop.server.enroll(this.id, 'gateway');
    const roots = await shop.roots();
    writeFileSync(this.path('image-root.json'), roots.image);
    writeFileSync(this.path('director-root.json'), roots.director);
    mkdirSync(this.path('slots/a'), { recursive: true });
    writeFileSync(this.path('slots/a/image'), V1, { mode: 0o755 });
    const config = {
      version: 1,
      bundle,
      state: 'state',
      hardware: HARDWARE,
      roots: { image: 'image-root.json', director: 'director-root.json' },
      slots: { kind: 'directory', root: 'slots' },
      trial: { withinS: 60, steadyS: 1, tries: 2 },
      image: { release: `${LINE}@1.0.0`, sha256: sha256(V1), counter: 1 },
      ...change,
    };
    writeFileSync(this.config, JSON.stringify(config));
  }

  get config(): string {
    return this.path('agent.json');
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Starts supervisor, program and agent in a process group of their own. */
  start(): void {
    const program = this.path('slots/current/image');
    const args = [AGENT, 'run', '--config', this.config, '--', program];
    const env = { ...process.env, STARTED: this.path('started') };
    const child = spawn(process.execPath, args, { env, detached: true, stdio: 'pipe' });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => this.log.push(text));
    }
    this.#child = child;
  }

  /** As a power cut: everything ends at once. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined) return;
    const ended = new Promise((resolve) => child.once('close', resolve));
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGKILL');
    this.#child = undefined;
    await ended;
  }

  async command(...args: string[]): Promise<string> {
    const { stdout, stderr, code } = await run(process.execPath, [
      AGENT,
      ...args,
      '--config',
      this.config,
    ]);
    assert.equal(code, 0, stderr);
    return stdout;
  }

  /** The versions that were started, one after the other. */
  started(): string[] {
    return readFileSync(this.path('started'), 'utf8').trim().split('\n');
  }

  /** Of the slot that was started last; a, when none was. */
  runningImage(): string {
    const link = this.path('slots/current');
    const slot = existsSync(link) ? readlinkSync(link) : 'a';
    return sha256(readFileSync(this.path(`slots/${slot}/image`), 'utf8'));
  }
}

async function site(t: TestContext, change?: object): Promise<{ shop: Shop; gateway: Gateway }> {
  const shop = new Shop(await startInProcess(t));
  await shop.init();
  const gateway = new Gateway(temporaryFolder(t));
  await gateway.make(shop, change);
  t.after(async () => {
    await gateway.kill();
    if (!t.passed) t.diagnostic(gateway.log.join(''));
  });
  return { shop, gateway };
}

/** Resolves when the server has this report of the release. */
function reported(shop: Shop, gateway: Gateway, wanted: { release: string; state: string }) {
  return waitFor(`the report ${wanted.release} ${wanted.state}`, async () => {
    const { reported: last } = await shop.server.client.deviceUpdate(gateway.id);
    return last?.release === wanted.release && last.state === wanted.state ? last : undefined;
  });
}

test('a good update is confirmed; one that crashes goes back; the server hears of both', async (t) => {
  const { shop, gateway } = await site(t);
  const { client } = shop.server;
  gateway.start();
  await reported(shop, gateway, { release: `${LINE}@1.0.0`, state: 'idle' });
  assert.match(await gateway.command('status'), /gateway@1\.0\.0, security counter 1/u);

  const good = await shop.release('2.0.0', staying('2.0.0'), 2);
  await client.assignRelease(gateway.id, { release: good });
  const confirmed = await reported(shop, gateway, { release: good, state: 'confirmed' });
  assert.equal(confirmed.counter, 2);
  assert.equal(gateway.runningImage(), sha256(staying('2.0.0')));
  assert.deepEqual(gateway.started(), ['1.0.0', '2.0.0']);

  const bad = await shop.release('3.0.0', crashing('3.0.0'), 3);
  await client.assignRelease(gateway.id, { release: bad });
  const reverted = await reported(shop, gateway, { release: bad, state: 'reverted' });
  assert.equal(reverted.counter, 2, 'the counter of an image that was not confirmed counts not');
  assert.equal(gateway.runningImage(), sha256(staying('2.0.0')));
  const started = ['1.0.0', '2.0.0', '3.0.0', '3.0.0', '2.0.0'];
  await waitFor('all starts', () => gateway.started().length >= started.length);
  assert.deepEqual(gateway.started(), started);
  const status = await gateway.command('status');
  assert.match(status, /gateway@2\.0\.0, security counter 2/u);
  assert.match(status, /gateway@3\.0\.0: reverted/u);

  const old = await shop.release('1.5.0', staying('1.5.0'), 1);
  await client.assignRelease(gateway.id, { release: old });
  await reported(shop, gateway, { release: old, state: 'failed' });
  assert.equal(gateway.runningImage(), sha256(staying('2.0.0')));

  // What became of all of them can be read afterwards.
  const { steps, isComplete } = await client.deviceUpdates(gateway.id);
  assert.ok(isComplete);
  const stories = updateStories(steps);
  assert.deepEqual(
    stories.map(({ release, state }) => [release, state]),
    [
      [old, 'failed'],
      [bad, 'reverted'],
      [good, 'confirmed'],
      [`${LINE}@1.0.0`, 'idle'],
    ],
  );
  const words = stories.map((story) => story.steps.map((step) => updateStepWords(step, story)));
  assert.deepEqual(words[0], ['Assigned', 'Refused by the device']);
  assert.deepEqual(words[1]?.slice(0, 2), ['Assigned', 'Downloading']);
  assert.deepEqual(words[2], [
    'Assigned',
    'Downloading',
    'Signatures checked',
    'In the other slot',
    'Restarting',
    'On trial',
    'Confirmed',
  ]);
  const ends = stories.map((story) => story.steps.at(-1));
  for (const end of ends.slice(0, 2)) assert.ok(end?.what === 'told' && end.why !== undefined);
  const times = steps.map(({ at }) => at);
  assert.deepEqual(times, times.toSorted().toReversed(), 'the newest stands first');
});

test('twenty times SIGKILL at any moment: it goes on, or goes back', async (t) => {
  const { shop, gateway } = await site(t);
  const known = new Map([[sha256(V1), 1]]);
  let kills = 0;
  for (const version of ['2.0.0', '3.0.0', '4.0.0']) {
    const isBad = version === '3.0.0';
    const program = isBad ? crashing(version) : staying(version);
    const counter = Number(version[0]);
    const release = await shop.release(version, program, counter);
    known.set(sha256(program), counter);
    await shop.server.client.assignRelease(gateway.id, { release });
    const perVersion = 7;
    for (let n = 0; n < perVersion && kills < 20; n += 1) {
      gateway.start();
      // Over the whole of an update, which takes some seconds here.
      await new Promise((resolve) => setTimeout(resolve, 300 + Math.random() * 5_000));
      await gateway.kill();
      kills += 1;
      assert.ok(known.has(gateway.runningImage()), 'what was started is a whole image');
    }
    gateway.start();
    const state = await ended(shop, gateway, release);
    const running = known.get(gateway.runningImage());
    t.diagnostic(`${release}: ${state}, ${perVersion} kills`);
    if (isBad) assert.equal(state, 'reverted');
    assert.equal(running, state === 'confirmed' ? counter : running);
    if (state === 'reverted') assert.notEqual(running, counter);
    await gateway.kill();
  }
});

/** How the update ended; kills may use up the tries of a good image as well. */
async function ended(shop: Shop, gateway: Gateway, release: string): Promise<string> {
  return waitFor(`the end of ${release}`, async () => {
    const { reported: last } = await shop.server.client.deviceUpdate(gateway.id);
    const isOver = last?.state === 'confirmed' || last?.state === 'reverted';
    return last?.release === release && isOver ? last.state : undefined;
  });
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function keyOf(pem: string) {
  const key = readPublicKey(pem);
  assert.ok(!(key instanceof Refusal));
  return key;
}
