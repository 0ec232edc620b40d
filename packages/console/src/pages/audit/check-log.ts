/** Fetches the log and verifies it in this browser. @module */
import type { ServerInfo } from '@holdfast/protocol/api';
import { type TileName, tilePath } from '@holdfast/protocol/merkle';
import { ask, askResponse, askText } from '../../api/ask.ts';
import { verifyTree } from '../../proof/verify-tree.ts';
import { type SeenLog, keepSeen, readSeen } from './seen-log.ts';

/** What came of it. */
export type LogCheck =
  | { readonly isGood: true; readonly seen: SeenLog; readonly before: SeenLog | undefined }
  | { readonly isGood: false; readonly problem: string; readonly before: SeenLog | undefined };

/** Tiles that are asked for in a second at most: the server holds off who asks more. */
const TILES_PER_SECOND = 80;

/** Verifies the log against what this browser has seen of it. @throws Problem, AbortError */
export async function checkLog(
  onProgress: (done: number, size: number) => void,
  signal: AbortSignal,
): Promise<LogCheck> {
  const before = readSeen();
  const { verifierKey } = await ask<ServerInfo>('/v1/server', { signal });
  if (before !== undefined && before.verifierKey !== verifierKey) {
    return { isGood: false, problem: 'Another key signs its checkpoints than before.', before };
  }
  const checkpoint = await askText('/v1/log/checkpoint', { signal });
  const pace = pacer(TILES_PER_SECOND);
  const verdict = await verifyTree({
    checkpoint,
    verifierKey,
    before,
    signal,
    onProgress,
    fetchTile: async (name) => {
      await pace();
      return fetchTile(name, signal);
    },
  });
  if (verdict.problem !== undefined) return { isGood: false, problem: verdict.problem, before };
  const seen = { ...verdict.head, verifierKey, atMs: Date.now() };
  keepSeen(seen);
  return { isGood: true, seen, before };
}

async function fetchTile(name: TileName, signal: AbortSignal): Promise<Uint8Array> {
  const answer = await askResponse(`/v1/log/${tilePath(name)}`, { signal });
  return new Uint8Array(await answer.arrayBuffer());
}

/** Lets so many through in a second, one after the other. */
function pacer(perSecond: number): () => Promise<void> {
  let nextMs = 0;
  return async () => {
    const nowMs = performance.now();
    const atMs = Math.max(nowMs, nextMs);
    nextMs = atMs + 1_000 / perSecond;
    if (atMs > nowMs) await new Promise((resolve) => setTimeout(resolve, atMs - nowMs));
  };
}
