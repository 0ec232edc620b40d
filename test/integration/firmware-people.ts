/** People with keys, who set up firmware updates on a server and release on it. @module */
import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { Client } from '@holdfast/client';
import {
  type NamedKey,
  type Signer,
  checkRequest,
  documentsOf,
  firstDocuments,
  memorySigner,
  openPublished,
  readPublicKey,
  signRequest,
} from '@holdfast/firmware';
import { Refusal } from '@holdfast/protocol';
import type { ProposeReleaseRequest, ReleaseView, SigningRequest } from '@holdfast/protocol/api';

/** What people need of the API. */
export type FirmwareApi = Pick<
  Client,
  | 'onlineKeys'
  | 'makeSigningRequest'
  | 'submitSignatures'
  | 'uploadArtifact'
  | 'proposeRelease'
  | 'releases'
>;

/** Somebody with a key. */
export interface Person extends NamedKey {
  readonly signer: Signer;
}

export function person(name: string): Person {
  const signer = memorySigner(generateKeyPairSync('ed25519').privateKey);
  return { name, key: signer.key, signer };
}

export function present<T>(value: T | Refusal | undefined): T {
  if (value instanceof Refusal) throw new Error(`${value.code}: ${value.detail}`);
  if (value === undefined) throw new Error('it is not there');
  return value;
}

/** Three who sign roots, two of whom must; two of them have the keys of the line `thermo`. */
export class People {
  readonly ann: Person = person('ann');
  readonly bob: Person = person('bob');
  readonly cid: Person = person('cid');

  /** The first ceremony. */
  async init(client: FirmwareApi): Promise<void> {
    const { image, director } = (await client.onlineKeys()).current;
    const key = (pem: string) => present(readPublicKey(pem));
    const proposals = firstDocuments(
      {
        signers: { keys: [this.ann, this.bob, this.cid], threshold: 2 },
        lines: new Map([['thermo', { keys: [this.ann, this.bob], threshold: 2 }]]),
        online: {
          image: { snapshot: key(image.snapshot), timestamp: key(image.timestamp) },
          director: {
            targets: key(director.targets),
            snapshot: key(director.snapshot),
            timestamp: key(director.timestamp),
          },
        },
      },
      { nowMs: Date.now() },
    );
    const { request } = await client.makeSigningRequest({ documents: documentsOf(proposals) });
    assert.equal(await this.sign(client, request, this.cid), false);
    assert.equal(await this.sign(client, request, this.ann), true);
  }

  /** One signs on a machine of their own, with nothing but the file. @returns whether it counts now. */
  async sign(client: FirmwareApi, request: SigningRequest, { signer }: Person): Promise<boolean> {
    const published = present(openPublished(request.published));
    const checked = present(checkRequest(request.documents, { published, nowMs: Date.now() }));
    const file = present(await signRequest(checked, signer));
    return (await client.submitSignatures(file)).isPublished;
  }

  /** Brings an artifact and makes its signing request. */
  async propose(
    client: FirmwareApi,
    version: string,
    bytes: Buffer = randomBytes(10_000),
    more: Partial<ProposeReleaseRequest['release']> = {},
  ) {
    const { sha256 } = await client.uploadArtifact(sourceOf(bytes));
    const { request } = await client.proposeRelease({
      sha256,
      fileName: 'app.bin',
      release: { line: 'thermo', version, hardware: ['thermo-a'], counter: 1, ...more },
    });
    return request;
  }

  /** The same, signed by both. */
  async release(
    client: FirmwareApi,
    version: string,
    bytes?: Buffer,
    more?: Partial<ProposeReleaseRequest['release']>,
  ): Promise<ReleaseView> {
    const request = await this.propose(client, version, bytes, more);
    await this.sign(client, request, this.ann);
    assert.equal(await this.sign(client, request, this.bob), true);
    const releases = await client.releases();
    return present(releases.find(({ id }) => id === `thermo@${version}`));
  }
}

/** Bytes in memory as a file that is brought. */
export function sourceOf(bytes: Buffer) {
  return {
    length: bytes.length,
    read: (start: number, end: number) => Promise.resolve(bytes.subarray(start, end)),
  };
}
