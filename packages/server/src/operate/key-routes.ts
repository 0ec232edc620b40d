/** The keys of the data folder: how they stand, and the rotation of the key-encryption key. @module */
import { type KeyStatus, KeyStatusSchema } from '@holdfast/protocol/api';
import { KEY_BYTES_MAX, KEY_SEALINGS_MAX, type PurposeCount } from '../persistence/index.ts';
import type { ApiDeps } from './deps.ts';
import { accepted } from './errors.ts';
import type { KeyFacts } from './key-care.ts';
import { recordFirst } from './record-first.ts';
import { type Routes, json } from './routes.ts';
import { isoTime } from './views.ts';

export function addKeyRoutes(routes: Routes, deps: ApiDeps): void {
  const { keyCare } = deps;
  routes.add(
    { action: 'keys:read', on: 'server' },
    {
      method: 'get',
      path: '/v1/keys',
      summary: 'Tells of the keys of the data folder: versions, numbers, ages; no key.',
      responses: { 200: json(KeyStatusSchema, 'How they stand.') },
    },
    (c) => c.json(keyStatusView(keyCare.facts()), 200),
  );

  routes.add(
    { action: 'keys:rotate', on: 'server' },
    {
      method: 'post',
      path: '/v1/keys/rotate',
      summary: 'Makes a new key-encryption key. All data keys are wrapped again by themselves.',
      responses: { 202: json(KeyStatusSchema, 'How they stand.') },
    },
    async (c) => {
      accepted(keyCare.whyNotRotate() ?? true);
      const { principal } = c.get('caller');
      await recordFirst(deps, { action: 'keys.rotate', principal });
      // Of two who asked at once, the second one is refused here.
      accepted(keyCare.whyNotRotate() ?? true);
      keyCare.rotate();
      return c.json(keyStatusView(keyCare.facts()), 202);
    },
  );
}

function keyStatusView({ custody, escrow, versions, purposes, rotation }: KeyFacts): KeyStatus {
  const newest = versions.at(-1)?.version ?? 0;
  const total = versions.reduce((sum, { dataKeys }) => sum + dataKeys, 0);
  const left = versions.reduce(
    (sum, { version, dataKeys }) => (version < newest ? sum + dataKeys : sum),
    0,
  );
  return {
    custody,
    ...(escrow && {
      escrow: {
        setId: escrow.setId,
        madeAt: escrow.madeAt,
        count: escrow.count,
        threshold: escrow.threshold,
      },
    }),
    versions: versions.map(({ version, createdAtMs, retiredAtMs, dataKeys }) => ({
      version,
      createdAt: isoTime(createdAtMs),
      ...(retiredAtMs !== undefined && { retiredAt: isoTime(retiredAtMs) }),
      dataKeys,
    })),
    ...(rotation && { rotation: { total, left, waitsFor: [...rotation.waitsFor] } }),
    purposes: purposes.map(purposeView),
  };
}

function purposeView({
  purpose,
  current,
  former,
  destroyed,
  oldestAtMs,
  most,
}: PurposeCount): KeyStatus['purposes'][number] {
  const worn = Math.max(most.sealings / KEY_SEALINGS_MAX, most.bytes / KEY_BYTES_MAX);
  return {
    purpose,
    current,
    former,
    destroyed,
    ...(oldestAtMs !== undefined && { oldestAt: isoTime(oldestAtMs) }),
    worn: Math.min(1, worn),
  };
}
