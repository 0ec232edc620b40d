/** Tries a bucket with an object of its own: settings say what is meant, this says what is. @module */
import { type Verdict, fail, pass, unknown } from './bucket-checks.ts';
import { type S3, answeredError } from './s3-client.ts';
import { type S3Name, keyAt } from './s3-place.ts';
import { type ObjectPlace, listVersions, removeVersions } from './s3-versions.ts';

/** What was tried. */
export interface ProbeVerdicts {
  readonly anonymous: Verdict;
  readonly removal: Verdict;
  /** How the store encrypted the object by itself; undefined when it does not tell. */
  readonly encryptedBy: string | undefined;
}

const NAME_BYTES = 16;
const PROBE_BYTES = 32;

/**
 * Puts an object of random bytes, tries to get it without credentials, and removes it.
 * Throws what the SDK throws when it cannot even be put.
 */
export async function probeBucket(
  s3: S3,
  place: S3Name,
  random: (bytes: number) => Uint8Array,
): Promise<ProbeVerdicts> {
  const { client, sdk } = s3;
  const name = Buffer.from(random(NAME_BYTES)).toString('hex');
  const at = { Bucket: place.bucket, Key: keyAt(place, `probe/${name}`) };
  const Body = random(PROBE_BYTES);
  const { ServerSideEncryption } = await client.send(new sdk.PutObjectCommand({ ...at, Body }));
  let anonymous: Verdict;
  try {
    anonymous = await tryAsNobody(s3, at);
  } catch (error) {
    await removeProbe(s3, at);
    throw error;
  }
  return { anonymous, removal: await removeProbe(s3, at), encryptedBy: ServerSideEncryption };
}

async function tryAsNobody({ anonymous, sdk }: S3, at: ObjectPlace): Promise<Verdict> {
  const { Bucket } = at;
  const tried = new Set([
    await isDenied(() => anonymous.send(new sdk.ListObjectsV2Command({ Bucket, MaxKeys: 1 }))),
    await isDenied(() => anonymous.send(new sdk.HeadObjectCommand(at))),
  ]);
  if (tried.has(false)) return fail('Anybody can list the bucket, or fetch from it.');
  if (tried.has(undefined)) return unknown('It is not clear what the store lets anybody do.');
  return pass('Requests without credentials are denied.');
}

/** Undefined for an answer that is neither a yes nor a no. */
async function isDenied(send: () => Promise<unknown>): Promise<boolean | undefined> {
  try {
    await send();
    return false;
  } catch (error) {
    const answered = answeredError(error);
    if (answered === undefined) throw error;
    return answered.status === 401 || answered.status === 403 ? true : undefined;
  }
}

async function removeProbe(s3: S3, at: ObjectPlace): Promise<Verdict> {
  try {
    await removeVersions(s3, at);
    const left = await listVersions(s3, at);
    if (left === undefined) return unknown('The store has no list of versions.');
    return left.length === 0
      ? pass('What is removed is gone, with all of its versions.')
      : fail('What is removed stays.');
  } catch (error) {
    const answered = answeredError(error);
    if (answered === undefined) throw error;
    return fail(`An object could not be removed (${answered.name}, ${answered.status}).`);
  }
}
