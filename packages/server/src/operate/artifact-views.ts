/** What the API shows of stored artifacts. @module */
import type { ArtifactFigures, StoredArtifact, StoredArtifactList } from '@holdfast/protocol/api';
import {
  StoredArtifacts,
  type StoredArtifactFacts,
  needText,
  totalOf,
  unneededOf,
} from '../update/index.ts';
import type { ApiDeps } from './deps.ts';
import { isoTime } from './views.ts';

/** The stored artifacts of the server behind the API. */
export function storedArtifacts(
  deps: Pick<ApiDeps, 'clock' | 'log' | 'recordAct' | 'rollouts' | 'updates'>,
): StoredArtifacts {
  const { clock, log, recordAct, rollouts, updates } = deps;
  return new StoredArtifacts({ ...updates, clock, log, recordAct, rollouts });
}

export function artifactFigures(all: readonly StoredArtifactFacts[]): ArtifactFigures {
  return { stored: totalOf(all), unneeded: totalOf(unneededOf(all)) };
}

export function artifactListView(stored: StoredArtifacts): StoredArtifactList {
  const all = stored.list();
  return {
    ...artifactFigures(all),
    artifacts: all.map(storedArtifactView),
    ...stored.leftovers(),
  };
}

export function storedArtifactView({
  record: { sha256, length, storedAtMs, by },
  isWhole,
  namedBy,
  needs,
}: StoredArtifactFacts): StoredArtifact {
  return {
    sha256,
    length,
    storedAt: isoTime(storedAtMs),
    by,
    isWhole,
    releases: namedBy.map((one) => ({ ...one })),
    needs: needs.map((need) => ({ code: need.code, why: needText(need) })),
  };
}
