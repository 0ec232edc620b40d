/** Signs somebody in in a browser, without clicking through the page each time. @module */
import { createHmac } from 'node:crypto';
import type { Client } from '@holdfast/client';
import type { PersonRole } from '@holdfast/protocol/api';
import type { Browser } from './browser.ts';

const PASSWORD = 'correct horse battery';
/** RFC 6238 §4.1 */
const TOTP_STEP_S = 30;

/** Somebody who is signed in. */
export interface SignedIn {
  readonly name: string;
  /** Gives a code of their authenticator app that was not used yet. */
  code(): string;
}

/** Invites a person, who sets up a password and an authenticator app in this browser. */
export async function signIn(
  { page }: Pick<Browser, 'page'>,
  client: Client,
  { name = 'ann', role = 'administrator' }: { name?: string; role?: PersonRole } = {},
): Promise<SignedIn> {
  const { link, code: invitation } = await client.invitePerson({ name, role });
  await page.goto(new URL('/sign-in', link).href);
  const post = (path: string, body: object): Promise<unknown> =>
    page.evaluate(
      async ([path, body]) => {
        const headers = { 'content-type': 'application/json' };
        const answer = await fetch(path, { method: 'POST', headers, body });
        if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
        return answer.status === 204 ? undefined : answer.json();
      },
      [path, JSON.stringify(body)] as const,
    );
  await post('/v1/sign-in/invitation', { code: invitation });
  await post('/v1/me/password', { password: PASSWORD });
  const { secret } = (await post('/v1/me/totp', {})) as { secret: string };
  let used = 0;
  const code = (): string => {
    // The next step is accepted as well: a clock may be ahead. The last but one is not any more.
    used = Math.max(used + 1, Math.floor(Date.now() / 1_000 / TOTP_STEP_S));
    return totp(secret, used);
  };
  await post('/v1/me/totp/confirm', { code: code() });
  return { name, code };
}

/** RFC 6238, from the base32 secret that an authenticator app is given. */
function totp(secret: string, step: number): string {
  const bits = Array.from(secret, (letter) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  ).join('');
  const key = Buffer.from((bits.match(/.{8}/gu) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac('sha1', key).update(counter).digest();
  const at = (digest.at(-1) ?? 0) & 0x0f;
  const number = (digest.readUInt32BE(at) & 0x7f_ff_ff_ff) % 1_000_000;
  return String(number).padStart(6, '0');
}
