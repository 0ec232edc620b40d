/**
 * What a request changes, in plain words, found in the documents themselves: a request has no words
 * of its own that a signer could be deceived with.
 * @module
 */
import { type Key, Root, Targets } from '@tufjs/models';
import {
  ROLE_KINDS,
  type RoleKeys,
  keyAlgorithm,
  keysOfLine,
  keysOfRole,
  linesOf,
  releasesOf,
} from '../metadata/index.ts';
import type { Release } from '../release.ts';
import type { CheckedDocument, CheckedRequest } from './checked-request.ts';

/** One line of a summary. `warn`: what a signer should ask somebody about. */
export interface SummaryLine {
  readonly kind: 'add' | 'remove' | 'change' | 'keep' | 'warn';
  readonly text: string;
}

/** What one document changes. */
export interface DocumentSummary {
  readonly title: string;
  readonly lines: readonly SummaryLine[];
}

/** Says of each document what it changes against the version before. */
export function summaryOf(request: CheckedRequest, nowMs: number): DocumentSummary[] {
  const name = (key: Key): string => {
    const owner = request.nameOf(key);
    return owner === '' ? 'the server' : owner;
  };
  return request.documents.map((document) => ({
    title: titleOf(document),
    lines: [expiryLine(document, nowMs), ...changesOf(document, name)],
  }));
}

type NameOf = (key: Key) => string;

function titleOf({ repository, role, version, previous }: CheckedDocument): string {
  const before = previous === undefined ? 'the first one' : `after version ${version - 1}`;
  return `${repository} repository, ${role}, version ${version} (${before})`;
}

function expiryLine({ metadata, previous }: CheckedDocument, nowMs: number): SummaryLine {
  const days = Math.floor((Date.parse(metadata.signed.expires) - nowMs) / DAY_MS);
  const text = `ends on ${metadata.signed.expires.slice(0, 10)}, in ${days} days`;
  const isEarlier = previous !== undefined && previous.signed.expires > metadata.signed.expires;
  return isEarlier
    ? { kind: 'warn', text: `${text}: earlier than before` }
    : { kind: 'keep', text };
}

function changesOf({ metadata, previous }: CheckedDocument, name: NameOf): SummaryLine[] {
  const { signed } = metadata;
  const before = previous?.signed;
  if (signed instanceof Root) {
    return ROLE_KINDS.flatMap((role) => {
      const old = before instanceof Root ? keysOfRole(before, role) : undefined;
      return roleLines(role, { now: keysOfRole(signed, role), before: old, name });
    });
  }
  const old = before instanceof Targets ? before : undefined;
  if (signed.delegations !== undefined) return lineLines(signed, { before: old, name });
  return releaseLines(releasesOf(signed), old === undefined ? [] : releasesOf(old));
}

function lineLines(
  targets: Targets,
  { before, name }: { readonly before: Targets | undefined; readonly name: NameOf },
): SummaryLine[] {
  const lines = new Set([...linesOf(targets), ...(before ? linesOf(before) : [])]);
  return [...lines].flatMap((line): SummaryLine[] => {
    const old = before && keysOfLine(before, line);
    const now = keysOfLine(targets, line);
    const what = `product line ${line}`;
    if (now === undefined) return [{ kind: 'remove', text: `${what}, with all its releases` }];
    return roleLines(what, { now, before: old, name });
  });
}

function roleLines(
  what: string,
  roles: { readonly now: RoleKeys; readonly before: RoleKeys | undefined; readonly name: NameOf },
): SummaryLine[] {
  const { now, before, name } = roles;
  const text = `${what}: ${now.threshold} of ${now.keys.map(name).join(', ')}`;
  const had = new Set(before?.keys.map((key) => key.keyID));
  const has = new Set(now.keys.map((key) => key.keyID));
  const lines: SummaryLine[] = [];
  for (const key of now.keys.filter(({ keyID }) => !had.has(keyID))) {
    lines.push({ kind: 'add', text: `${what}: ${keyText(key, name)}` });
  }
  for (const key of before?.keys.filter(({ keyID }) => !has.has(keyID)) ?? []) {
    lines.push({ kind: 'remove', text: `${what}: ${keyText(key, name)}` });
  }
  if (before !== undefined && now.threshold < before.threshold) {
    lines.push({ kind: 'warn', text: `${what}: the threshold falls from ${before.threshold}` });
  } else if (before !== undefined && now.threshold > before.threshold) {
    lines.push({ kind: 'change', text: `${what}: the threshold rises from ${before.threshold}` });
  }
  const isOnline = now.keys.every((key) => name(key) === 'the server');
  if (now.threshold === 1 && !isOnline && before?.threshold !== 1) {
    lines.push({ kind: 'warn', text: `${what}: one key alone is enough` });
  }
  return [{ kind: lines.length > 0 && before ? 'change' : 'keep', text }, ...lines];
}

function keyText(key: Key, name: NameOf): string {
  return `key of ${name(key)} (${keyAlgorithm(key)}) ${key.keyID}`;
}

function releaseLines(now: readonly Release[], before: readonly Release[]): SummaryLine[] {
  const lines: SummaryLine[] = [];
  const highest = Math.max(-1, ...before.map(({ custom }) => custom.counter));
  for (const release of now) {
    const old = before.find(({ id }) => id === release.id);
    if (old === undefined) {
      lines.push({ kind: 'add', text: releaseText(release) });
      lines.push(...partsText(release).map((text) => ({ kind: 'add', text }) as const));
      if (release.custom.counter < highest) {
        const text = `${release.id}: its counter is lower than that of another release (${highest})`;
        lines.push({ kind: 'warn', text });
      }
    } else if (canonical(old) !== canonical(release)) {
      lines.push({ kind: 'change', text: `${release.id}: ${changedFields(old, release)}` });
    }
  }
  for (const release of before) {
    if (!now.some(({ id }) => id === release.id)) {
      lines.push({ kind: 'remove', text: `release ${release.id}: devices no longer find it` });
    }
  }
  const text = `${now.length} releases, ${before.length} before`;
  return [{ kind: 'keep', text }, ...lines];
}

function releaseText({ id, path, length, sha256, custom }: Release): string {
  const fixes = custom.fixes === undefined ? '' : `, fixes ${custom.fixes.join(' ')}`;
  const severity = custom.severity === undefined ? '' : `, severity ${custom.severity}`;
  const from = custom.minimumVersion === undefined ? '' : `, from ${custom.minimumVersion} on`;
  return (
    `release ${id} for ${custom.hardware.join(', ')}, counter ${custom.counter}, ` +
    `${length} bytes, SHA-256 ${sha256}, at ${path}${from}${severity}${fixes}`
  );
}

/** All else that is signed of a release: whoever can slip in what a boot measures can hide a boot. */
function partsText({ id, custom }: Release): string[] {
  const { sbom, suit, deltas = [], detached = [], measurements = [] } = custom;
  const file = (what: string, { sha256, length }: { sha256: string; length: number }): string =>
    `${id}: ${what}, ${length} bytes, SHA-256 ${sha256}`;
  return [
    ...(sbom === undefined ? [] : [file('SBOM', sbom)]),
    ...(suit === undefined ? [] : [file('SUIT envelope', suit)]),
    ...deltas.map((delta) => file(`delta from ${delta.from}`, delta)),
    ...detached.map(
      ({ algorithm, keyId, signature }) =>
        `${id}: detached signature (${algorithm}) of key ${keyId}: ${signature}`,
    ),
    ...measurements.map(
      ({ pcr, events }) => `${id}: a good boot measures into PCR ${pcr}: ${events.join(' ')}`,
    ),
  ];
}

/** What is said of a release may change: which deltas there are, what it repairs. */
function changedFields(old: Release, now: Release): string {
  const before = new Map(Object.entries(old.custom));
  const changed = new Set<string>();
  for (const [field, value] of Object.entries(now.custom)) {
    if (JSON.stringify(before.get(field)) !== JSON.stringify(value)) changed.add(field);
    before.delete(field);
  }
  const fields = [...changed, ...before.keys()];
  return `other ${fields.join(', ')}: ${JSON.stringify(now.custom)}`;
}

function canonical(release: Release): string {
  const fields = Object.entries(release.custom).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(fields);
}

const DAY_MS = 86_400_000;
