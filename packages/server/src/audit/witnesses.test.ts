import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import {
  type NoteSigner,
  Problem,
  verifyCheckpoint,
  verifyCosignature,
} from '@holdfast/protocol/merkle';
import { Secret, systemClock, systemRandom } from '../kernel/index.ts';
import { SealedStore } from '../persistence/index.ts';
import { LabLog, labCosigned, labKey, labSigner } from './lab.testing.ts';
import { WITNESSES_MAX, WITNESS_CLOCK_AHEAD_MS_MAX } from './limits.ts';
import { ed25519Verify, sha256 } from './log-key.ts';
import { type Witness, Witnesses } from './witnesses.ts';

const NOW_S = 1_800_000_000;

interface Lab {
  readonly log: LabLog;
  readonly witnesses: Witnesses;
  readonly store: SealedStore;
  readonly a: NoteSigner;
  readonly b: NoteSigner;
  readonly reopen: () => Witnesses;
}

function openLab(t: TestContext): Lab {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-witness-'));
  const unsealKey = new Secret(systemRandom(32));
  const store = new SealedStore(join(folder, 'registry.db'), { unsealKey, random: systemRandom });
  t.after(() => {
    store.close();
    rmSync(folder, { recursive: true });
  });
  store.state.release(() => '');
  const log = new LabLog().append(300);
  const clock = { ...systemClock, nowMs: () => NOW_S * 1_000 };
  const reopen = (): Witnesses => new Witnesses(store, log.asSeenAt(clock));
  const lab = {
    log,
    store,
    reopen,
    witnesses: reopen(),
    a: labSigner('a.example/w'),
    b: labSigner('b'),
  };
  for (const signer of [lab.a, lab.b])
    lab.witnesses.add(accepted(lab.witnesses.prepare(labKey(signer))));
  return lab;
}

function accepted<T>(value: T | Refusal): T {
  assert.ok(!(value instanceof Refusal), value instanceof Refusal ? value.detail : '');
  return value;
}

function codeOf(value: unknown): string {
  return value instanceof Refusal ? value.code : 'none';
}

function sizes(witness: Witness | undefined): unknown[] {
  return [witness?.latest?.size, witness?.alarm?.size];
}

test('what a known witness has cosigned is kept, over a restart too', (t) => {
  const { log, witnesses, reopen, a } = openLab(t);
  const taken = accepted(witnesses.take(labCosigned(log.checkpoint(), a, NOW_S)));
  assert.equal(taken.isBehind, false);
  assert.deepEqual(
    taken.witnesses.map(({ name }) => name),
    ['a.example/w'],
  );
  for (const [of, other] of [witnesses.all(), reopen().all()]) {
    assert.deepEqual(
      [sizes(of), sizes(other)],
      [
        [300, undefined],
        [undefined, undefined],
      ],
    );
    assert.equal(of?.latest?.atMs, NOW_S * 1_000);
  }
});

test('the newest counts: an older one that comes late changes nothing', (t) => {
  const { log, witnesses, a } = openLab(t);
  accepted(witnesses.take(labCosigned(log.checkpoint(), a, NOW_S)));
  accepted(witnesses.take(labCosigned(log.checkpoint(256), a, NOW_S + 1)));
  accepted(witnesses.take(labCosigned(log.checkpoint(), a, NOW_S - 1)));
  assert.deepEqual(witnesses.all()[0]?.latest?.atMs, NOW_S * 1_000);
  assert.equal(witnesses.all()[0]?.latest?.size, 300);
});

test('cosignatures of the same size are shown on one checkpoint', (t) => {
  const { log, witnesses, a, b } = openLab(t);
  assert.equal(witnesses.newest(), undefined);
  accepted(witnesses.take(labCosigned(log.checkpoint(256), a, NOW_S)));
  assert.equal(witnesses.newest()?.size, 256);
  accepted(witnesses.take(labCosigned(log.checkpoint(), b, NOW_S)));
  assert.equal(witnesses.newest()?.size, 300);
  accepted(witnesses.take(labCosigned(log.checkpoint(), a, NOW_S)));
  const note = witnesses.newest()?.note ?? '';
  assert.ok(!(verifyCheckpoint(sha256, note, log.verifier) instanceof Problem));
  for (const signer of [a, b]) {
    const checked = verifyCosignature(sha256, note, { ...signer, verify: ed25519Verify });
    assert.deepEqual(checked, { timeS: NOW_S });
  }
});

test('refuses what is not signed by the log, or by no known witness [E_AUDIT_COSIGNATURE]', (t) => {
  const { log, witnesses, a } = openLab(t);
  const wrong = [
    log.checkpoint(),
    labCosigned(log.checkpoint(), labSigner(a.name), NOW_S),
    labCosigned(new LabLog().append(300).checkpoint(), a, NOW_S),
    labCosigned(log.checkpoint(), a, NOW_S + WITNESS_CLOCK_AHEAD_MS_MAX / 1_000 + 1),
    labCosigned(log.checkpoint(), a, NOW_S).replace('\n300\n', '\n299\n'),
    'nothing',
  ];
  for (const note of wrong) assert.equal(codeOf(witnesses.take(note)), 'E_AUDIT_COSIGNATURE');
  assert.equal(witnesses.newest(), undefined);
  accepted(
    witnesses.take(labCosigned(log.checkpoint(), a, NOW_S + WITNESS_CLOCK_AHEAD_MS_MAX / 1_000)),
  );
});

test('a checkpoint of this key that is not of this log is an alarm that stays', (t) => {
  for (const other of [
    (lab: Lab) => new LabLog(lab.log.signer).append(301),
    (lab: Lab) => new LabLog(lab.log.signer).append(200, 'x'),
  ]) {
    const lab = openLab(t);
    const { log, witnesses, a } = lab;
    accepted(witnesses.take(labCosigned(log.checkpoint(), a, NOW_S)));
    const taken = accepted(witnesses.take(labCosigned(other(lab).checkpoint(), a, NOW_S)));
    assert.equal(taken.isBehind, true);
    assert.equal(witnesses.all()[0]?.latest?.size, 300, 'the last good one stands');
    accepted(witnesses.take(labCosigned(log.append(1).checkpoint(), a, NOW_S)));
    assert.ok(lab.reopen().all()[0]?.alarm !== undefined);
  }
});

test('a cosignature is no change that counts, adding and removing a witness is', (t) => {
  const { log, witnesses, store, a } = openLab(t);
  const before = store.state.generation;
  accepted(witnesses.take(labCosigned(log.checkpoint(), a, NOW_S)));
  assert.equal(store.state.generation, before);
  assert.equal(witnesses.remove(witnesses.all()[0]?.id ?? '')?.name, a.name);
  assert.ok(store.state.generation > before);
  assert.equal(witnesses.remove('00000000'), undefined);
  assert.equal(
    codeOf(witnesses.take(labCosigned(log.checkpoint(), a, NOW_S))),
    'E_AUDIT_COSIGNATURE',
  );
});

test('keys are checked, and there are only so many', (t) => {
  const { witnesses, a } = openLab(t);
  assert.equal(codeOf(witnesses.prepare('a+b+c')), 'E_AUDIT_WITNESS_KEY');
  assert.equal(codeOf(witnesses.prepare(labKey(a))), 'E_OPERATE_CONFLICT');
  for (let at = 2; at < WITNESSES_MAX; at += 1) {
    witnesses.add(accepted(witnesses.prepare(labKey(labSigner(`w${at}`)))));
  }
  assert.equal(codeOf(witnesses.prepare(labKey(labSigner('more')))), 'E_OPERATE_CONFLICT');
});
