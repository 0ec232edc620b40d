/**
 * A person joins, signs in and confirms a dangerous act with a passkey, in a real browser: Debian's
 * Chromium with the virtual authenticator of its developer tools, on the sign-in page of a real
 * server. WebAuthn Level 3
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Client } from '@holdfast/client';
import {
  type Browser,
  type BrowserOptions,
  openBrowser,
  run,
  startServer,
  temporaryFolder,
} from '@holdfast/testkit';

const PASSWORD = 'correct horse battery';

interface Lab extends Browser {
  /** With the token of the data folder. */
  readonly client: Client;
}

async function openLab(t: TestContext, options: Partial<BrowserOptions> = {}): Promise<Lab> {
  const server = await startServer(t, { dataDir: join(temporaryFolder(t), 'data') });
  const client = server.client();
  t.after(() => client.close());
  const { pins } = await client.server();
  return { client, ...(await openBrowser(t, { spkiPin: pins.spki, ...options })) };
}

interface Authenticator {
  readonly tools: Awaited<ReturnType<Browser['context']['newCDPSession']>>;
  readonly authenticatorId: string;
}

/** An authenticator that keeps passkeys, and whose person is always there. */
async function addAuthenticator({ context, page }: Lab): Promise<Authenticator> {
  const tools = await context.newCDPSession(page);
  await tools.send('WebAuthn.enable');
  const { authenticatorId } = await tools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return { tools, authenticatorId };
}

/** Whether the person at the authenticator is verified from now on. */
async function setVerified(
  { tools, authenticatorId }: Authenticator,
  isUserVerified: boolean,
): Promise<void> {
  await tools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified });
}

/** The code of this moment, by Debian's oathtool: another maker's idea of RFC 6238. */
async function oathtool(secret: string): Promise<string> {
  const { stdout, code } = await run('oathtool', ['--totp', '--base32', '-'], { input: secret });
  assert.equal(code, 0);
  return stdout.trim();
}

async function invite({ client }: Lab): Promise<string> {
  const { link } = await client.invitePerson({ name: 'grace', role: 'administrator' });
  return link;
}

test('an invitation, a passkey, a sign-in and a confirmation in Chromium', async (t) => {
  const lab = await openLab(t);
  const { client, page, complaints } = lab;
  await addAuthenticator(lab);

  const link = await invite(lab);
  // In the tab where the page is already, the link changes only what is behind the #.
  await page.goto(new URL('/sign-in', link).href);
  await page.getByRole('button', { name: 'Sign in with a passkey' }).waitFor();
  await page.goto(link);
  await page.getByText('You are invited.').waitFor();
  assert.equal(new URL(page.url()).hash, '', 'the code stays in the history');
  await page.getByRole('button', { name: 'Join' }).click();
  await page.getByText('You have shown no second factor yet').waitFor();
  await page.getByLabel('What to call a new one').fill('laptop');
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.getByText('laptop: on one device').waitFor();
  assert.ok(await page.getByText('You have shown no second factor yet').isHidden());

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await page.getByText('You are grace (administrator).').waitFor();

  const [session] = await client.sessions();
  assert.deepEqual([session?.principal, session?.by], ['person:grace', 'passkey']);
  await page.getByRole('button', { name: 'Confirm with a passkey' }).click();
  await page.getByText('Last confirmed at').waitFor();
  await page.waitForLoadState('networkidle');

  const acts = (await client.acts()).filter(({ action }) => action.startsWith('person.'));
  assert.deepEqual(
    acts.toReversed().map(({ action, principal }) => `${principal} ${action}`),
    [
      'local person.invite',
      'person:grace person.redeem-invitation',
      'person:grace person.add-passkey',
      'person:grace person.sign-out',
      'person:grace person.sign-in',
      'person:grace person.step-up',
    ],
  );
  assert.deepEqual(complaints, []);
  assert.deepEqual(await client.refusals(), []);
});

test('a passkey whose person is not verified signs nobody in', async (t) => {
  const lab = await openLab(t);
  const { page } = lab;
  const authenticator = await addAuthenticator(lab);
  await page.goto(await invite(lab));
  await page.getByRole('button', { name: 'Join' }).click();
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.getByText('this device: on one device').waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();

  await setVerified(authenticator, false);
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await page.getByText('The passkey was not used').waitFor();
  await setVerified(authenticator, true);
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await page.getByText('You are grace').waitFor();
});

test('a password, an authenticator app and recovery codes, without a passkey', async (t) => {
  const lab = await openLab(t, { width: 1_024, height: 800 });
  const { page, complaints } = lab;
  await page.goto(await invite(lab));
  await page.getByRole('button', { name: 'Join' }).click();
  await page.getByLabel('New password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Set the password' }).click();
  await page.getByText('The password is set').waitFor();
  await page.getByRole('button', { name: 'Set up an authenticator app' }).click();
  await page.getByAltText('QR code').waitFor();
  const isDrawn = await page
    .getByAltText('QR code')
    .evaluate((image: { complete: boolean; naturalWidth: number }) => image.naturalWidth > 0);
  assert.ok(isDrawn, 'the QR code is not drawn');
  const secret = ((await page.locator('#totp-secret').textContent()) ?? '').replaceAll(' ', '');
  assert.match(secret, /^[A-Z2-7]{32}$/);
  await page.getByLabel('The six digits it shows').fill(await oathtool(secret));
  await page.getByRole('button', { name: 'Use this app' }).click();
  await page.getByText('Keep these recovery codes').waitFor();
  const codes = ((await page.locator('#recovery-codes').textContent()) ?? '').trim().split('\n');
  assert.equal(codes.length, 10);

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Name').fill('grace');
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.locator('#one-time-code').fill(codes[0] ?? '');
  await page.locator('#code-form').getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('9 recovery codes are left').waitFor();
  assert.deepEqual(complaints, []);
});
