/** Takes the issuing keys out of a data folder, as somebody who has stolen it whole. @module */
import { openContext } from '../../../packages/server/src/main/context.ts';
import { openStorage } from '../../../packages/server/src/main/storage.ts';
import { StoredAuthoritySchema, certificatePem } from '../../../packages/server/src/pki/index.ts';
import type { Credential } from './forge.ts';

/** Authorities of the server, each with its key. */
export interface StolenKeys {
  readonly root: Credential;
  readonly devices: Credential;
  readonly servers: Credential;
  readonly apps: Credential;
}

/** Reads them from the folder of a server that is stopped. */
export async function stealKeys(dataDir: string): Promise<StolenKeys> {
  const undo: (() => void | Promise<void>)[] = [];
  const ports = { broker: 0, api: 0, enroll: 0 };
  const context = openContext({ dataDir, hosts: [], ports }, (step) => undo.push(step));
  try {
    const { store } = await openStorage(context);
    const material = store.collection('authority', StoredAuthoritySchema).read('only');
    if (material?.version !== 2) throw new Error('no authority in the folder');
    const [generation] = material.generations;
    if (generation === undefined) throw new Error('no generation of the authority');
    const { devices, servers, apps } = generation;
    return {
      root: credentialOf(material.root),
      devices: credentialOf(devices),
      servers: credentialOf(servers),
      apps: credentialOf(apps),
    };
  } finally {
    for (const step of undo.reverse()) await step();
  }
}

type Member = { certificate: string; key?: { kind: string; pkcs8?: string } | undefined };

function credentialOf({ certificate, key }: Member): Credential {
  if (key?.pkcs8 === undefined) throw new Error('the key is not in the folder');
  const body = key.pkcs8.match(/.{1,64}/gu)?.join('\n') ?? '';
  return {
    cert: certificatePem(Buffer.from(certificate, 'base64')),
    key: `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\n`,
  };
}
