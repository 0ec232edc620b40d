/**
 * A fake of an OpenID provider: it speaks as much of OpenID Connect Core 1.0 as a client of the
 * code flow sees, signs its tokens with node:crypto, and asks nobody for a password.
 * @module
 */
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { type TestCertificate, makeCertificate } from './test-certificate.ts';

/** What a test may change of the next ID token. */
export interface TokenFaults {
  /** Claims in place of the right ones; undefined leaves one out. */
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly signedByAnother?: boolean;
  readonly algorithm?: 'none';
}

/** A provider that runs. */
export interface FakeOpenIdProvider {
  readonly issuer: string;
  readonly anchorPem: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Requests that came, `METHOD path`. */
  readonly requests: string[];
  /** Signs a person in: gives where the browser is sent back to from an authorization URL. */
  authorize(
    url: string,
    claims: Readonly<Record<string, unknown>>,
    faults?: TokenFaults,
  ): Promise<string>;
}

interface Grant {
  readonly claims: Readonly<Record<string, unknown>>;
  readonly challenge: string;
  readonly redirectUri: string;
  readonly faults: TokenFaults;
}

/** Starts one, which ends after the test. */
export async function startOpenIdProvider(t: TestContext): Promise<FakeOpenIdProvider> {
  const certificate: TestCertificate = makeCertificate(t);
  const [clientId, clientSecret] = ['holdfast', 'a secret with spaces & signs'];
  const keys = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const others = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const grants = new Map<string, Grant>();
  const requests: string[] = [];
  let issuer = '';

  const token = ({ claims, faults }: Grant): string => {
    const now = Math.floor(Date.now() / 1_000);
    const times = { iat: now, exp: now + 300 };
    const payload = { iss: issuer, aud: clientId, ...times, ...claims, ...faults.claims };
    const header = { alg: faults.algorithm ?? 'RS256', kid: 'k1', typ: 'JWT' };
    const signed = `${base64url(header)}.${base64url(payload)}`;
    if (faults.algorithm === 'none') return `${signed}.`;
    const { privateKey } = faults.signedByAnother === true ? others : keys;
    return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
  };

  const exchange = async (request: IncomingMessage): Promise<object | undefined> => {
    const form = new URLSearchParams(await text(request));
    const grant = grants.get(form.get('code') ?? '');
    grants.delete(form.get('code') ?? '');
    const verifier = form.get('code_verifier') ?? '';
    const isRight =
      form.get('client_secret') === clientSecret &&
      form.get('redirect_uri') === grant?.redirectUri &&
      createHash('sha256').update(verifier).digest('base64url') === grant?.challenge;
    if (grant === undefined || !isRight) return undefined;
    return { access_token: randomUUID(), token_type: 'Bearer', id_token: token(grant) };
  };

  const answer = async (request: IncomingMessage): Promise<object | undefined> => {
    const { pathname } = new URL(request.url ?? '', issuer);
    requests.push(`${request.method} ${pathname}`);
    if (pathname === '/.well-known/openid-configuration') {
      return {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/keys`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
        code_challenge_methods_supported: ['S256'],
      };
    }
    if (pathname === '/keys') {
      const key = keys.publicKey.export({ format: 'jwk' });
      return { keys: [{ ...key, kid: 'k1', use: 'sig', alg: 'RS256' }] };
    }
    return pathname === '/token' ? exchange(request) : undefined;
  };

  const { keyPem: key, certificatePem: cert } = certificate;
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const value = await answer(request);
    response.writeHead(value === undefined ? 400 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(value ?? { error: 'invalid_grant' }));
  };
  const server = createServer({ key, cert }, (request, response) => {
    void respond(request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  issuer = `https://localhost:${(server.address() as AddressInfo).port}`;
  return {
    issuer,
    anchorPem: certificate.certificatePem,
    clientId,
    clientSecret,
    requests,
    authorize(url, claims, faults = {}) {
      const { searchParams: asked } = new URL(url);
      assert.equal(asked.get('client_id'), clientId);
      assert.equal(asked.get('response_type'), 'code');
      assert.equal(asked.get('code_challenge_method'), 'S256');
      const redirectUri = asked.get('redirect_uri') ?? '';
      const code = randomUUID();
      const nonce = asked.get('nonce');
      const challenge = asked.get('code_challenge') ?? '';
      grants.set(code, { claims: { nonce, ...claims }, challenge, redirectUri, faults });
      const back = new URL(redirectUri);
      back.searchParams.set('code', code);
      back.searchParams.set('state', asked.get('state') ?? '');
      return Promise.resolve(back.href);
    },
  };
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
