/**
 * Stand-ins for key services that this machine cannot have: they speak the part of the API of AWS
 * KMS, and of the transit engine of Vault, that custody uses, over TLS, and encrypt for real. They
 * are not those products: what they show is that our side speaks the protocol and binds what it
 * should.
 * @module
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { selfSigned, temporaryFolder } from '@holdfast/testkit';

/** A service that runs, and what can go wrong with it. */
export interface KeyKeeper {
  readonly url: string;
  /** PEM file that proves its address. */
  readonly caFile: string;
  /** Operations that were asked for, in order. */
  readonly asked: string[];
  /** True: it denies everything. */
  isDenied: boolean;
  /** True: it opens something else than what was sealed. */
  isLying: boolean;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: object;
}

type Operation = (request: IncomingMessage, body: Record<string, string>, text: string) => Answer;

const DENIED: Answer = { status: 400, body: { __type: 'AccessDeniedException' } };

/** AWS KMS: TrentService.Encrypt and .Decrypt, requests signed by Signature Version 4. */
export async function startLocalKms(
  t: TestContext,
  credentials: { readonly accessKeyId: string; readonly secretAccessKey: string },
): Promise<KeyKeeper> {
  const keys = new Map<string, Buffer>();
  return startKeeper(t, (keeper) => (request, body, text) => {
    const operation = String(request.headers['x-amz-target']).replace('TrentService.', '');
    keeper.asked.push(operation);
    if (!isSigned(request, text, credentials)) {
      return { status: 400, body: { __type: 'UnrecognizedClientException' } };
    }
    if (keeper.isDenied) return DENIED;
    const id = body['KeyId'] ?? '';
    const key = keys.get(id) ?? keys.set(id, randomBytes(32)).get(id) ?? randomBytes(32);
    const aad = Buffer.from(JSON.stringify(body['EncryptionContext'] ?? {}));
    if (operation === 'Encrypt') {
      const sealed = sealBytes(Buffer.from(body['Plaintext'] ?? '', 'base64'), key, aad);
      return { status: 200, body: { KeyId: id, CiphertextBlob: sealed.toString('base64') } };
    }
    const opened = openBytes(Buffer.from(body['CiphertextBlob'] ?? '', 'base64'), key, aad);
    if (opened === undefined)
      return { status: 400, body: { __type: 'InvalidCiphertextException' } };
    const plaintext = keeper.isLying ? randomBytes(opened.length) : opened;
    return { status: 200, body: { KeyId: id, Plaintext: plaintext.toString('base64') } };
  });
}

/** Vault's transit engine with one key `holdfast` and one token. */
export async function startLocalVault(t: TestContext, token: string): Promise<KeyKeeper> {
  const key = randomBytes(32);
  return startKeeper(t, (keeper) => (request, body) => {
    const operation = request.url ?? '';
    keeper.asked.push(operation);
    const given = Buffer.from(String(request.headers['x-vault-token']));
    const isToken = given.length === token.length && timingSafeEqual(given, Buffer.from(token));
    if (keeper.isDenied || !isToken)
      return { status: 403, body: { errors: ['permission denied'] } };
    const aad = Buffer.from(body['associated_data'] ?? '', 'base64');
    if (operation === '/v1/transit/encrypt/holdfast') {
      const sealed = sealBytes(Buffer.from(body['plaintext'] ?? '', 'base64'), key, aad);
      return {
        status: 200,
        body: { data: { ciphertext: `vault:v1:${sealed.toString('base64')}` } },
      };
    }
    if (operation !== '/v1/transit/decrypt/holdfast') return { status: 404, body: { errors: [] } };
    const sealed = Buffer.from((body['ciphertext'] ?? '').replace('vault:v1:', ''), 'base64');
    const opened = openBytes(sealed, key, aad);
    if (opened === undefined) return { status: 400, body: { errors: ['cipher: authentication'] } };
    const plaintext = keeper.isLying ? randomBytes(opened.length) : opened;
    return { status: 200, body: { data: { plaintext: plaintext.toString('base64') } } };
  });
}

async function startKeeper(
  t: TestContext,
  operationOf: (keeper: KeyKeeper) => Operation,
): Promise<KeyKeeper> {
  const folder = temporaryFolder(t);
  await selfSigned(folder);
  const [caFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const server = createServer({ cert: readFileSync(caFile), key: readFileSync(keyFile) });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  t.after(() => (server.listening ? close() : undefined));
  const url = `https://localhost:${port}`;
  const keeper: KeyKeeper = { url, caFile, asked: [], isDenied: false, isLying: false, close };
  const operation = operationOf(keeper);
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const text = await readAll(request);
    const answer = operation(request, JSON.parse(text), text);
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer.body));
  };
  server.on('request', (request, response) => void respond(request, response));
  return keeper;
}

async function readAll(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(Buffer.from(part));
  return Buffer.concat(parts).toString('utf8');
}

/** AWS Signature Version 4, as the documentation of AWS describes it, checked from the other end. */
function isSigned(
  request: IncomingMessage,
  text: string,
  { accessKeyId, secretAccessKey }: { accessKeyId: string; secretAccessKey: string },
): boolean {
  const form =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/kms\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/u;
  const match = form.exec(String(request.headers.authorization));
  if (match?.[1] !== accessKeyId) return false;
  const [, , day = '', region = '', signed = '', signature = ''] = match;
  const headers = signed
    .split(';')
    .map((name) => `${name}:${String(request.headers[name]).trim()}\n`);
  const canonical = ['POST', '/', '', headers.join(''), signed, sha256(text)].join('\n');
  const scope = `${day}/${region}/kms/aws4_request`;
  const toSign = `AWS4-HMAC-SHA256\n${String(request.headers['x-amz-date'])}\n${scope}\n${sha256(canonical)}`;
  const parts = [day, region, 'kms', 'aws4_request'];
  let key: string | Buffer = `AWS4${secretAccessKey}`;
  for (const part of parts) key = createHmac('sha256', key).update(part).digest();
  return createHmac('sha256', key).update(toSign).digest('hex') === signature;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function sealBytes(plaintext: Buffer, key: Buffer, aad: Buffer): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
  cipher.setAAD(aad);
  const body = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([nonce, body, cipher.getAuthTag()]);
}

function openBytes(sealed: Buffer, key: Buffer, aad: Buffer): Buffer | undefined {
  try {
    const nonce = sealed.subarray(0, 12);
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
    decipher.setAAD(aad);
    decipher.setAuthTag(sealed.subarray(-16));
    return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
  } catch {
    return undefined;
  }
}
