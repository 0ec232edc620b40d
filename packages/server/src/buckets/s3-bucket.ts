/** A bucket of S3, or of a store that speaks its API. @module */
import { createHash } from 'node:crypto';
import type { ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import {
  type Bucket,
  type ObjectInfo,
  isObjectKey,
  requireObjectKey,
  sizeFault,
} from './bucket.ts';
import { LISTED_MAX, OBJECT_BYTES_MAX } from './limits.ts';
import { type S3, answeredError, ask, endlessFault } from './s3-client.ts';
import { type S3Name, keyAt, s3NameText } from './s3-place.ts';
import { removeVersions } from './s3-versions.ts';

/** Opens a part of a bucket; asks nothing yet. */
export function s3Bucket(s3: S3, place: S3Name): Bucket {
  return new S3Bucket(s3, place);
}

class S3Bucket implements Bucket {
  readonly name: string;
  readonly #s3: S3;
  readonly #place: S3Name;

  constructor(s3: S3, place: S3Name) {
    this.name = s3NameText(place);
    this.#s3 = s3;
    this.#place = place;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const at = this.#at(key);
    const { client, sdk } = this.#s3;
    // The store compares it: what arrives is what was sent, or nothing is kept.
    const ChecksumSHA256 = createHash('sha256').update(bytes).digest('base64');
    const put = new sdk.PutObjectCommand({
      ...at,
      Body: bytes,
      ContentType: 'application/octet-stream',
      ChecksumSHA256,
    });
    await ask(this.name, async () => {
      const { VersionId } = await client.send(put);
      // Where versions are kept, what was replaced would stay readable.
      if (VersionId !== undefined) await removeVersions(this.#s3, at, { except: VersionId });
    });
  }

  get(key: string): Promise<Buffer | undefined> {
    return this.#get(key, undefined);
  }

  async getRange(key: string, start: number, end: number): Promise<Buffer | undefined> {
    return start === end ? Buffer.alloc(0) : this.#get(key, `bytes=${start}-${end - 1}`);
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    const { client, sdk } = this.#s3;
    const { bucket: Bucket } = this.#place;
    const ours = keyAt(this.#place, '');
    let [token, pages]: [string | undefined, number] = [undefined, 0];
    do {
      if ((pages += 1) > LISTED_MAX / PAGE_OBJECTS) throw endlessFault(this.name);
      const command = new sdk.ListObjectsV2Command({
        Bucket,
        Prefix: `${ours}${prefix}`,
        ContinuationToken: token,
      });
      const page: ListObjectsV2CommandOutput = await ask(this.name, () => client.send(command));
      for (const { Key = '', Size } of page.Contents ?? []) {
        const key = Key.slice(ours.length);
        if (isObjectKey(key) && Size !== undefined) yield { key, size: Size };
      }
      if (page.NextContinuationToken === token && token !== undefined) {
        throw endlessFault(this.name);
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async remove(key: string): Promise<void> {
    const at = this.#at(key);
    await ask(this.name, () => removeVersions(this.#s3, at));
  }

  async head(key: string): Promise<{ readonly size: number } | undefined> {
    const { client, sdk } = this.#s3;
    const command = new sdk.HeadObjectCommand(this.#at(key));
    const found = await this.#unlessMissing(key, () => client.send(command));
    return found?.ContentLength === undefined ? undefined : { size: found.ContentLength };
  }

  async #get(key: string, Range: string | undefined): Promise<Buffer | undefined> {
    const { client, sdk } = this.#s3;
    const command = new sdk.GetObjectCommand({ ...this.#at(key), Range });
    return this.#unlessMissing(key, async () => {
      const { Body, ContentLength = Infinity } = await client.send(command);
      if (Body === undefined || ContentLength > OBJECT_BYTES_MAX) throw sizeFault(this.name, key);
      return Buffer.from(await Body.transformToByteArray());
    });
  }

  #at(key: string): { Bucket: string; Key: string } {
    requireObjectKey(key);
    return { Bucket: this.#place.bucket, Key: keyAt(this.#place, key) };
  }

  async #unlessMissing<T>(key: string, send: () => Promise<T>): Promise<T | undefined> {
    return ask(this.name, async () => {
      try {
        return await send();
      } catch (error) {
        const { name = '', status } = answeredError(error) ?? {};
        if (MISSING.has(name)) return undefined;
        // Who may list a part of a bucket only is denied what is not there, too.
        if (status === 403 && !(await this.#isListed(key))) return undefined;
        throw error;
      }
    });
  }

  async #isListed(key: string): Promise<boolean> {
    for await (const found of this.list(key)) if (found.key === key) return true;
    return false;
  }
}

/** Objects of a page of a list, in the API of S3. */
const PAGE_OBJECTS = 1_000;

const MISSING: ReadonlySet<string> = new Set(['NoSuchKey', 'NotFound']);
