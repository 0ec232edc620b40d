/** What clients of hawkBit are told, in the form that they read. @module */
import type { Release } from '@holdfast/firmware';
import type { OldChecksums } from './checksums.ts';

/** The URL of a device: `https://<host>/<tenant>/controller/v1/<device>`. */
export type DeviceUrl = string;

/** What `GET /{tenant}/controller/v1/{id}` tells. */
export interface BaseFacts {
  /** When it asks again, in seconds. */
  readonly pollS: number;
  /** Number of what it is to install, if there is something. */
  readonly install: number | undefined;
  /** Number of what it is to stop. */
  readonly stop: number | undefined;
  /** Whether it is asked what it is. */
  readonly asksAttributes: boolean;
}

/** The poll. While something is to be stopped, nothing else is offered. */
export function baseAnswer(url: DeviceUrl, { pollS, install, stop, asksAttributes }: BaseFacts) {
  const link = (path: string): { href: string } => ({ href: `${url}/${path}` });
  const links = {
    ...(stop !== undefined && { cancelAction: link(`cancelAction/${stop}`) }),
    ...(stop === undefined &&
      install !== undefined && { deploymentBase: link(`deploymentBase/${install}`) }),
    ...(asksAttributes && { configData: link('configData') }),
  };
  return { config: { polling: { sleep: clockText(pollS) } }, _links: links };
}

/**
 * One chunk with one artifact: RAUC and Zephyr take no more, and Zephyr only of the kind `bApp`,
 * with links named `…-http`, of which it uses the path.
 */
export function deploymentAnswer(
  url: DeviceUrl,
  { number, release, sums }: { number: number; release: Release; sums: OldChecksums },
) {
  const filename = fileNameOf(release);
  const file = {
    href: `${url}/softwaremodules/${number}/artifacts/${encodeURIComponent(filename)}`,
  };
  const md5sum = { href: `${file.href}.MD5SUM` };
  const { sha256, length: size } = release;
  const artifact = {
    filename,
    hashes: { sha1: sums.sha1, md5: sums.md5, sha256 },
    size,
    _links: { download: file, 'download-http': file, md5sum, 'md5sum-http': md5sum },
  };
  const { line: name, version } = release.custom;
  const chunks = [{ part: 'bApp', version, name, artifacts: [artifact] }];
  return { id: String(number), deployment: { download: 'forced', update: 'forced', chunks } };
}

/** What is to be stopped: the same number, which is all that the clients use. */
export function cancelAnswer(number: number) {
  return { id: String(number), cancelAction: { stopId: String(number) } };
}

/** The name of the file, by whose ending SWUpdate knows what it is. */
export function fileNameOf({ path }: Pick<Release, 'path'>): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** `HH:MM:SS`, eight characters. */
function clockText(seconds: number): string {
  const parts = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}
