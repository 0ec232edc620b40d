/** The session of this page: begun by proving that this phone holds its key. @module */
import { formatAppProof } from '@holdfast/protocol';
import type { AppChallenge, AppSession, PairedApp } from '@holdfast/protocol/api';
import type { AskOptions } from '../../api/ask.ts';
import { Problem } from '../../api/problem.ts';
import { certificateHash, certificateRequest, newAppKey, signText } from './app-key.ts';
import { askServer } from './ask-server.ts';
import { type Identity, forget, keep, kept, takeNext } from './identity-store.ts';

/** A certificate is renewed when less than this is left of its 30 days: on most visits. */
const RENEW_BEFORE_MS = 29 * 86_400_000;
/** One tab at a time proves and renews: two at once would end each other's sessions. */
const LOCK = 'holdfast-identity';
const UNAUTHENTICATED = 401;

/**
 * Asks as the app of this phone. When the session has ended, it is begun anew, once.
 * @throws Problem; with status 401, the server knows this phone no more.
 */
export async function ask<T = unknown>(path: string, options: AskOptions = {}): Promise<T> {
  try {
    return await askServer<T>(path, options);
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== UNAUTHENTICATED) throw error;
  }
  await beginSession();
  return askServer<T>(path, options);
}

/**
 * Asks for something that lasts, for which the server wants a fresh proof of the key.
 * @throws Problem
 */
export async function askProven<T = unknown>(path: string, options: AskOptions): Promise<T> {
  await beginSession();
  return askServer<T>(path, options);
}

let running: Promise<void> | undefined;

/** Begins a session; many who need one at once share one. @throws Problem */
export function beginSession(): Promise<void> {
  running ??= navigator.locks.request(LOCK, proveAndRenew).finally(() => (running = undefined));
  return running;
}

/** Takes up a new identity, and begins its session. @throws Problem */
export async function adopt(identity: Identity): Promise<void> {
  await keep('now', identity);
  await forget('asked', 'renewing', 'next');
  await beginSession();
}

/** Forgets who this phone is. Its key is gone with that. */
export async function forgetIdentity(): Promise<void> {
  await forget('asked', 'now', 'renewing', 'next');
}

async function proveAndRenew(): Promise<void> {
  const next = await kept('next');
  const { notAfter } = next === undefined ? await proveNow() : await proveNext(next);
  if (Date.parse(notAfter) - Date.now() < RENEW_BEFORE_MS) await renew();
}

async function proveNow(): Promise<AppSession> {
  const identity = await kept('now');
  if (identity === undefined) throw notPaired();
  return prove(identity);
}

/** Its first use ends the one before. A server that does not take it has the one before still. */
async function proveNext(next: Identity): Promise<AppSession> {
  try {
    const session = await prove(next);
    await takeNext(next);
    return session;
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== UNAUTHENTICATED) throw error;
    await forget('next');
    return proveNow();
  }
}

/** Signs a fresh challenge of this very server with the key. */
async function prove({ keys, certificatePem }: Identity): Promise<AppSession> {
  const path = '/v1/app/session';
  const { challenge } = await askServer<AppChallenge>(`${path}/challenge`, { method: 'POST' });
  const certificate = await certificateHash(certificatePem);
  const { origin } = location;
  const text = formatAppProof({ origin, challenge, certificate });
  const signature = await signText(keys.privateKey, text);
  const body = { challenge, certificate: certificatePem, signature };
  return askServer<AppSession>(path, { method: 'POST', body });
}

/** Renews with a new key. It is kept before it is used: an answer that is lost locks nobody out. */
async function renew(): Promise<void> {
  const keys = (await kept('renewing'))?.keys ?? (await newAppKey());
  await keep('renewing', { keys });
  let renewed: PairedApp;
  try {
    const body = { csr: await certificateRequest(keys) };
    renewed = await askServer<PairedApp>('/v1/app/renew', { method: 'POST', body });
  } catch (error) {
    // The certificate of now is good for days; the next visit tries again, with this key when only
    // the answer was lost.
    if (error instanceof Problem && error.status > 0) await forget('renewing');
    return;
  }
  const next = identityOf(renewed, keys);
  await keep('next', next);
  await forget('renewing');
  await proveNext(next);
}

/** What is kept of an answer with a certificate. */
export function identityOf({ app, certificate }: PairedApp, keys: CryptoKeyPair): Identity {
  return { keys, app, certificatePem: certificate.pem, notAfter: certificate.notAfter };
}

function notPaired(): Problem {
  return new Problem({
    code: 'not-paired',
    message: 'This phone is not paired with this server.',
    fix: 'Scan or type the code of your device.',
    status: UNAUTHENTICATED,
  });
}
