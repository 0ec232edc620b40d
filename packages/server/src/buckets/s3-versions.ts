/** All versions of an object: a store that keeps them would keep what was erased. @module */
import { VERSIONS_MAX } from './limits.ts';
import { type S3, answeredError, endlessFault } from './s3-client.ts';

/** Where an object is at the store. */
export interface ObjectPlace {
  readonly Bucket: string;
  readonly Key: string;
}

/** Removes the versions of an object, but for one that is to stay. Throws what the SDK throws. */
export async function removeVersions(
  s3: S3,
  at: ObjectPlace,
  { except }: { readonly except?: string } = {},
): Promise<void> {
  const { client, sdk } = s3;
  const versions = await listVersions(s3, at);
  if (versions === undefined) {
    await client.send(new sdk.DeleteObjectCommand(at));
    return;
  }
  for (const VersionId of versions) {
    if (VersionId === except) continue;
    await client.send(new sdk.DeleteObjectCommand({ ...at, VersionId }));
  }
}

/** Ids of the versions, delete markers too; undefined when the store has no versions at all. */
export async function listVersions(
  { client, sdk }: S3,
  { Bucket, Key }: ObjectPlace,
): Promise<string[] | undefined> {
  const ids: string[] = [];
  let pages = 0;
  let marker: { KeyMarker?: string; VersionIdMarker?: string } = {};
  for (;;) {
    const command = new sdk.ListObjectVersionsCommand({ Bucket, Prefix: Key, ...marker });
    let page;
    try {
      page = await client.send(command);
    } catch (error) {
      if (WITHOUT_VERSIONS.has(answeredError(error)?.name ?? '')) return undefined;
      throw error;
    }
    const { Versions = [], DeleteMarkers = [], NextKeyMarker, NextVersionIdMarker } = page;
    for (const version of [...Versions, ...DeleteMarkers]) {
      if (version.Key === Key && version.VersionId !== undefined) ids.push(version.VersionId);
    }
    if (ids.length > VERSIONS_MAX || (pages += 1) > VERSIONS_MAX) {
      throw endlessFault(`s3://${Bucket}/${Key}`);
    }
    // Keys come in order, and ours first: another one begins with it, and is no version of it.
    if (page.IsTruncated !== true || NextKeyMarker !== Key) return ids;
    marker = {
      KeyMarker: NextKeyMarker,
      ...(NextVersionIdMarker !== undefined && { VersionIdMarker: NextVersionIdMarker }),
    };
  }
}

const WITHOUT_VERSIONS: ReadonlySet<string> = new Set(['NotImplemented', 'MethodNotAllowed']);
