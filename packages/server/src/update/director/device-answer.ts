/** What the director says to one device: targets, snapshot and timestamp of its own. @module */
import {
  type Release,
  fileNameOf,
  newDirectorTargets,
  newSnapshot,
  newTimestamp,
} from '@holdfast/firmware';
import type { OnlineKey, OnlineRole } from '../online-keys.ts';
import { signDocument } from '../sign-document.ts';

/** What an answer is made of. */
export interface AnswerContent {
  readonly device: string;
  readonly release: Release | undefined;
  /** One for all three files. */
  readonly version: number;
  readonly expiresMs: number;
  readonly keys: Readonly<Record<OnlineRole, OnlineKey>>;
}

/** The files of one answer, by their names. */
export type AnswerFiles = ReadonlyMap<string, Buffer>;

/** Makes and signs an answer: three signatures. */
export function makeAnswer(content: AnswerContent): AnswerFiles {
  const { device, release, version, expiresMs, keys } = content;
  const dated = { version, expiresMs };
  const scope = { repository: 'director', device } as const;
  const targets = signDocument(newDirectorTargets({ ...dated, device, release }), keys.targets);
  const files = [{ name: 'targets.json', version, bytes: targets }];
  const snapshot = signDocument(newSnapshot({ ...dated, scope, files }), keys.snapshot);
  const named = { version, bytes: snapshot };
  const timestamp = signDocument(
    newTimestamp({ ...dated, scope, snapshot: named }),
    keys.timestamp,
  );
  return new Map([
    [fileNameOf('targets', version), targets],
    [fileNameOf('snapshot', version), snapshot],
    [fileNameOf('timestamp', version), timestamp],
  ]);
}
