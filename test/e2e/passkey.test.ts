/**
 * A person joins, signs in and confirms a dangerous act with a passkey, in a real browser: Debian's
 * Chromium with the virtual authenticator of its developer tools, on the sign-in page of a real
 * server. WebAuthn Level 3
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Client } from '@holdfast/client';
import type { Me } from '@holdfast/protocol/api';
import {
  type Browser,
  type BrowserOptions,
  addAuthenticator,
  openBrowser,
  run,
  startServer,
  temporaryFolder,
  waitFor,
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

/** The code of this moment, by Debian's oathtool: another maker's idea of RFC 6238. */
async function oathtool(secret: string): Promise<string> {
  const { stdout, code } = await run('oathtool', ['--totp', '--base32', '-'], { input: secret });
  assert.equal(code, 0);
  return stdout.trim();
}

/** Who the page is signed in as. */
function meOf({ page }: Lab): Promise<Me> {
  return page.evaluate(async () => (await (await fetch('/v1/me')).json()) as Me);
}

async function invite({ client }: Lab): Promise<string> {
  const { link } = await client.invitePerson({ name: 'grace', role: 'administrator' });
  return link;
}

/** What the page of somebody's own sign-in says of whom it is for. */
const ownPage = (link: string): string => new URL('/account', link).href;

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
  // The code does not stay in the history.
  await page.waitForURL(({ hash }) => hash === '');
  const invited = async () => (await client.people()).map(({ name, state }) => `${name} ${state}`);
  assert.deepEqual(await invited(), ['grace invited'], 'it was used without a click');
  await page.getByRole('button', { name: 'Join' }).click();
  await page.getByText('You have shown no second factor yet').waitFor();
  // Nothing else is open: every other page leads back here.
  await page.goto(new URL('/people', link).href);
  await page.getByText('You have shown no second factor yet').waitFor();
  await page.getByLabel('What to call it').fill('laptop');
  await page.getByRole('button', { name: 'Make a passkey' }).click();
  await page.getByRole('heading', { name: 'In case you lose it' }).waitFor();
  await page.getByRole('button', { name: 'Not now' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();

  await page.goto(ownPage(link));
  await page.getByText('laptop', { exact: true }).waitFor();
  await page.getByText('on one device, added just now, not used yet').waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await page.goto(ownPage(link));
  await page.getByText('You are grace (administrator).').waitFor();

  const [session] = await client.sessions();
  assert.deepEqual([session?.principal, session?.by], ['person:grace', 'passkey']);
  const { steppedUpAt: before = '' } = await meOf(lab);
  await page.getByRole('button', { name: 'Confirm with a passkey' }).click();
  await waitFor('the confirmation', async () => ((await meOf(lab)).steppedUpAt ?? '') > before);
  await page.getByText('Last confirmed').waitFor();

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
  const link = await invite(lab);
  await page.goto(link);
  await page.getByRole('button', { name: 'Join' }).click();
  await page.getByRole('button', { name: 'Make a passkey' }).click();
  await page.getByRole('button', { name: 'Not now' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await page.goto(ownPage(link));
  await page.getByRole('button', { name: 'Sign out' }).click();

  await authenticator.setVerified(false);
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await page.getByText('The passkey was not used').waitFor();
  await authenticator.setVerified(true);
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await page.getByRole('button', { name: 'grace' }).waitFor();
});

test('a password, an authenticator app and recovery codes, without a passkey', async (t) => {
  const lab = await openLab(t, { width: 1_024, height: 800 });
  const { page, complaints } = lab;
  const link = await invite(lab);
  await page.goto(link);
  await page.getByRole('button', { name: 'Join' }).click();
  await page.getByRole('button', { name: 'Use a password instead' }).click();
  await page.getByLabel('New password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Set the password' }).click();
  await page.getByRole('heading', { name: 'Set up your authenticator app' }).waitFor();
  const qr = page.getByRole('img', { name: 'QR code' });
  const size = await qr.boundingBox();
  assert.ok((size?.width ?? 0) > 100 && (size?.height ?? 0) > 100, 'the QR code is not drawn');
  const dots = (await qr.locator('path').getAttribute('d')) ?? '';
  assert.ok(dots.length > 2_000, 'the QR code is empty');
  const shown = await page.locator('code', { hasText: /^[A-Z2-7 ]{39}$/u }).textContent();
  const secret = (shown ?? '').replaceAll(' ', '');
  assert.match(secret, /^[A-Z2-7]{32}$/);
  await page.getByLabel('The six digits it shows').fill(await oathtool(secret));
  await page.getByRole('button', { name: 'Use this app' }).click();
  await page.getByRole('heading', { name: 'Keep your recovery codes' }).waitFor();
  const codes = await page
    .getByRole('list', { name: 'Recovery codes' })
    .locator('code')
    .allTextContents();
  assert.equal(codes.length, 10);
  const goOn = page.getByRole('button', { name: 'Continue' });
  assert.ok(await goOn.isDisabled(), 'nobody has to say that the codes are kept');
  await page.getByLabel('I have kept them').check();
  await goOn.click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();

  await page.goto(ownPage(link));
  await page.getByText('10 recovery codes are left').waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Name', { exact: true }).fill('grace');
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('heading', { name: 'Your second factor' }).waitFor();
  await page.getByLabel('Code', { exact: true }).fill(codes[0] ?? '');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await page.goto(ownPage(link));
  await page.getByText('9 recovery codes are left').waitFor();
  assert.deepEqual(complaints, []);
});
