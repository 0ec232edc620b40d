/** What the API shows of the update repository, of signing requests and of devices' updates. @module */
import {
  type CheckedRequest,
  type Repository,
  fileNameOf,
  firmwareDocument,
  kindOfRole,
  keyAlgorithm,
  keysOfLine,
  keysOfRole,
  lineOfRole,
  newRequest,
  scopeOf,
} from '@holdfast/firmware';
import { FIRMWARE_HISTORY_MAX } from '@holdfast/protocol/api';
import type {
  DeviceUpdateView,
  FirmwareDocument,
  FirmwareStatus,
  MadeSigningRequest,
  OnlineKeys as OnlineKeysView,
  ReleaseView,
  SigningRequest,
  SigningRequestView,
} from '@holdfast/protocol/api';
import type {
  ImageRepository,
  OnlineKey,
  OnlineKeys,
  OnlineRole,
  RequestStanding,
  UpdateParts,
} from '../update/index.ts';
import { isoTime } from './views.ts';

/** An open request, with who has signed it. */
export function requestView({ request, progress }: RequestStanding): SigningRequestView {
  const documents = progress.documents.map(({ document, needs }) => ({
    repository: document.repository,
    role: document.role,
    version: document.version,
    expiresAt: isoTime(Date.parse(document.metadata.signed.expires)),
    needs: needs.map(({ who, threshold, signers }) => ({
      who,
      threshold,
      signers: signers.map((signer) => ({ ...signer })),
    })),
  }));
  return { id: request.id, madeAt: isoTime(request.madeAtMs), madeBy: request.by, documents };
}

/** A request as the file that signers get. */
export function requestFile(
  { request, checked }: RequestStanding,
  releases: ImageRepository,
): SigningRequest {
  const roles = rolesOf(checked);
  const published = releases
    .publishedFiles()
    .filter(({ role }) => role === 'root' || role === 'targets' || roles.has(role));
  return newRequest(request.documents, { published, history: olderRoots(releases) });
}

/** The roots before the newest ones, oldest first: a signer who missed some follows them. */
function olderRoots({ documents }: ImageRepository): FirmwareDocument[] {
  return (['image', 'director'] as const).flatMap((repository) => {
    const newest = documents.newest(repository, 'root')?.version ?? 1;
    const first = Math.max(1, newest - FIRMWARE_HISTORY_MAX / 2);
    return Array.from({ length: newest - first }, (_, at) => first + at).flatMap((version) => {
      const bytes = documents.file(repository, fileNameOf('root', version));
      return bytes === undefined ? [] : firmwareDocument({ repository, role: 'root', bytes });
    });
  });
}

/** A request that was just made. */
export function madeRequestView(
  standing: RequestStanding,
  releases: ImageRepository,
): MadeSigningRequest {
  return { request: requestFile(standing, releases), view: requestView(standing) };
}

/** Roots and targets may change who signs a line: then all lines are looked at. */
function rolesOf({ documents }: CheckedRequest): ReadonlySet<string> {
  return new Set(documents.map(({ role }) => role));
}

/** Every role of both repositories, the first to end first. */
export function firmwareStatus({ releases, care }: UpdateParts): FirmwareStatus {
  const roles = care.ends().map(({ repository, role, version, expiresMs, isEndingSoon }) => {
    const { threshold, signers } = signersOf(releases, { repository, role });
    const expiresAt = isoTime(expiresMs);
    return { repository, role, version, expiresAt, isEndingSoon, threshold, signers };
  });
  const isInitialized = releases.published.image !== undefined;
  return { isInitialized, roles, openRequests: releases.requests.count };
}

function signersOf(
  { published }: ImageRepository,
  { repository, role }: { repository: Repository; role: string },
): Pick<FirmwareStatus['roles'][number], 'threshold' | 'signers'> {
  const { image, director, targets } = published;
  const root = repository === 'image' ? image : director;
  const line = lineOfRole(role);
  const kind = kindOfRole(role);
  const signedBy =
    line !== undefined
      ? targets && keysOfLine(targets.signed, line)
      : root && kind && keysOfRole(root.signed, kind);
  const { keys = [], threshold = 1 } = signedBy ?? {};
  const names = {
    ...(targets && scopeOf(targets.signed).names),
    ...(root && scopeOf(root.signed).names),
  };
  const signers = keys.map((key) => ({
    keyId: key.keyID,
    name: names[key.keyID] ?? '',
    algorithm: keyAlgorithm(key),
  }));
  return { threshold, signers };
}

/** The public keys of the server: those that roots name, and those that were made after them. */
export function onlineKeysView(
  keys: OnlineKeys,
  { image, director }: ImageRepository['published'],
): OnlineKeysView {
  const newest = keys.newest();
  const named = [image, director].flatMap((root) => Object.keys(root?.signed.keys ?? {}));
  const current = named.flatMap((id) => keys.byId(id) ?? []);
  const next = keySetView(newest);
  if (current.length === 0) return { current: next };
  const isNewest = newest.every((one) => current.includes(one));
  return isNewest ? { current: next } : { current: keySetView(current), next };
}

function keySetView(keys: readonly OnlineKey[]): OnlineKeysView['current'] {
  const pem = (repository: Repository, role: OnlineRole): string => {
    const key = keys.findLast((one) => one.repository === repository && one.role === role);
    if (key === undefined) throw new Error(`no key of the server for ${repository} ${role}`);
    return key.handle.publicKey.export({ format: 'pem', type: 'spki' });
  };
  return {
    image: { snapshot: pem('image', 'snapshot'), timestamp: pem('image', 'timestamp') },
    director: {
      targets: pem('director', 'targets'),
      snapshot: pem('director', 'snapshot'),
      timestamp: pem('director', 'timestamp'),
    },
  };
}

/** The published releases, with how many devices are to run each, and do. */
export function releaseViews({
  releases,
  artifacts,
  director,
  reports,
}: UpdateParts): ReleaseView[] {
  const assigned = countBy([...director.assignments()].map(({ release }) => release));
  const confirmed = countBy(
    [...reports.all()].flatMap(({ state, release }) => (state === 'confirmed' ? [release] : [])),
  );
  return releases.list().map((release) => ({
    id: release.id,
    path: release.path,
    length: release.length,
    sha256: release.sha256,
    facts: release.custom,
    isStored: artifacts.isWhole(release.sha256),
    assigned: assigned.get(release.id) ?? 0,
    confirmed: confirmed.get(release.id) ?? 0,
  }));
}

function countBy(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** What a device is to run, and what it told. */
export function deviceUpdateView(
  device: string,
  { releases, director, reports }: UpdateParts,
): DeviceUpdateView {
  const assignment = director.assignment(device);
  const report = reports.of(device);
  const view: DeviceUpdateView = { device };
  const assigned = assignment && {
    release: assignment.release,
    since: isoTime(assignment.sinceMs),
    by: assignment.by,
    isPublished: releases.byId(assignment.release)?.sha256 === assignment.sha256,
  };
  return {
    ...view,
    ...(assigned && { assigned }),
    ...(report && { reported: reportView(report, releases) }),
  };
}

type Report = NonNullable<ReturnType<UpdateParts['reports']['of']>>;

function reportView(
  { device: _device, sinceMs, reportedMs, ...report }: Report,
  releases: ImageRepository,
): NonNullable<DeviceUpdateView['reported']> {
  const { running } = report;
  const runs = running === undefined ? undefined : releases.bySha256(running)?.id;
  const times = { since: isoTime(sinceMs), at: isoTime(reportedMs) };
  return { ...report, ...times, ...(runs !== undefined && { runs }) };
}
