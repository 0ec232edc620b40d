/** Packet sequences over mutual TLS 1.3: our own, and third-party ones where they are at hand. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { before, test } from 'node:test';
import { startConformanceBroker } from './broker.ts';
import { type TestCertificates, makeCertificates } from './certificates.ts';
import { DEVIATIONS } from './deviations.ts';
import { play } from './runner.ts';
import { type Sequence, encodeTokens, readSequences } from './sequence.ts';

const OWN = join(import.meta.dirname, 'sequences');
/** Sequences of others are not part of this project: beside it, or in the folders it is told. */
const BESIDE = join(import.meta.dirname, '../../../shared/data/mqtt-vectors');
const OTHERS = (process.env['HOLDFAST_MQTT_VECTORS'] ?? BESIDE).split(delimiter);
/** Files at a time: most of their time is waiting. */
const PARALLEL = 8;
/** How long an answer may take on a machine that is slow and busy. */
const WAIT_MS = 30_000;
/** What a deviation waits for does not come, however long. */
const DEVIATION_WAIT_MS = 2_000;

let certificates: TestCertificates;
before(() => {
  certificates = makeCertificates();
});

/** Plays all sequences, each file at a broker of its own: they share client ids and topics. */
async function playAll(
  sequences: readonly Sequence[],
  waitMs = WAIT_MS,
): Promise<Map<string, string>> {
  const problems = new Map<string, string>();
  const files = [...Map.groupBy(sequences, ({ title }) => title.split(':')[0]).values()];
  const work = async (): Promise<void> => {
    for (let file = files.shift(); file !== undefined; file = files.shift()) {
      const broker = await startConformanceBroker(certificates);
      for (const sequence of file) {
        const ms = DEVIATIONS.has(sequence.title) ? DEVIATION_WAIT_MS : waitMs;
        const problem = await play(sequence, { broker, certificates, waitMs: ms });
        if (problem !== undefined) problems.set(sequence.title, problem);
      }
      broker.close();
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  return problems;
}

function assertNone(problems: ReadonlyMap<string, string>): void {
  const lines = [...problems].map(([title, problem]) => `\n  ${title}: ${problem}`);
  assert.equal(lines.length, 0, `${lines.length} fail:${lines.join('')}`);
}

test('tokens are encoded as the README says', () => {
  const text = "10 r13 s4 'MQTT' i4 k10 m1 H258 L16909060 v300 FFfe";
  assert.equal(
    encodeTokens(text).toString('hex'),
    '100d00044d51545404000a0001010201020304ac02fffe',
  );
  assert.throws(() => encodeTokens('x1'), /no token/);
});

test('a sequence that is answered wrongly fails: the runner can see it', async () => {
  const base = { level: 4, connects: true, expectsClose: false } as const;
  const sequence = (title: string, steps: Sequence['steps']): Sequence => ({
    ...base,
    title,
    clientId: title,
    steps,
  });
  const wrong = [
    sequence('wrong bytes', [
      { type: 'send', payload: 'C0 00' },
      { type: 'recv', payload: 'D0 01' },
    ]),
    { ...sequence('not closed', []), expectsClose: true },
    { ...sequence('closed', [{ type: 'send', payload: 'F0 00' }]), expectsClose: false },
  ];
  // What never comes is waited for to the end.
  const problems = await playAll(wrong, 1_000);
  assert.deepEqual([...problems.keys()].sort(), ['closed', 'not closed', 'wrong bytes']);
});

test('our own sequences', async (t) => {
  const sequences = readSequences(OWN);
  t.diagnostic(`${sequences.length} sequences`);
  assertNone(await playAll(sequences));
});

test('the sequences of others', async (t) => {
  const folders = OTHERS.filter((folder) => existsSync(folder));
  if (folders.length === 0) return t.skip(`no third-party sequences at ${OTHERS.join(', ')}`);
  const sequences = folders.flatMap(readSequences);
  const problems = await playAll(sequences);
  t.diagnostic(`${sequences.length} sequences, ${DEVIATIONS.size} deviations`);
  for (const title of DEVIATIONS.keys()) {
    if (!sequences.some((sequence) => sequence.title === title)) continue;
    assert.ok(problems.delete(title), `${title} is no deviation any more`);
  }
  assertNone(problems);
  return undefined;
});
