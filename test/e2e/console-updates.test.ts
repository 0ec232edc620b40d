/**
 * What became of the updates of a device, on its page in Debian's Chromium: read step by step, by
 * everybody, at the width of a phone. First of all: npm run build
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Bundle, enroll } from '@holdfast/device';
import {
  accessibilityProblemsInBothThemes,
  openBrowser,
  signIn,
  startServer,
  temporaryFolder,
} from '@holdfast/testkit';

const ID = 'pump-1';
const RELEASE = 'thermo@2.0.0';

/** Tells a state of an update, as a device of ours does. */
async function tell(url: string, bundle: Bundle, report: object): Promise<void> {
  const file = (name: string): Buffer => readFileSync(join(bundle.folder, name));
  const identity = { ca: bundle.anchorPem, cert: file('client.crt'), key: file('client.key') };
  const headers = { 'content-type': 'application/json' };
  const options = { ...identity, headers, method: 'POST', agent: false };
  const status = await new Promise((resolve, reject) => {
    const sent = request(`${url}/update/v1/report`, options, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode));
    });
    sent.once('error', reject).end(JSON.stringify(report));
  });
  assert.equal(status, 204);
}

test('the updates of a device are told step by step, as they go on', async (t) => {
  const folder = temporaryFolder(t);
  const server = await startServer(t, { dataDir: join(folder, 'data') });
  const client = server.client();
  t.after(() => client.close());
  const { claim } = await client.addDevice({ id: ID, class: 'gateway' });
  const bundle = await enroll({ claim: claim.text, out: join(folder, ID) });
  const { pins, enroll: url } = await client.server();
  const browser = await openBrowser(t, { spkiPin: pins.spki, width: 390, height: 844 });
  const { page } = browser;
  await signIn(browser, client);
  await page.goto(`https://localhost:${server.ports.api}/devices/${ID}/firmware`);
  await page.getByText('It has had no update yet').waitFor();

  await tell(url, bundle, { release: 'thermo@1.0.0', state: 'confirmed' });
  for (const state of ['downloading', 'verified', 'staged', 'trial'])
    await tell(url, bundle, { release: RELEASE, state });
  // The page asks by itself.
  const steps = page.getByRole('list', { name: `Steps of the update to ${RELEASE}` });
  await steps.getByText('On trial').waitFor({ timeout: 60_000 });
  await tell(url, bundle, { release: RELEASE, state: 'reverted', why: 'no <b>network</b>' });
  await steps.getByText('Went back to the slot before').waitFor({ timeout: 60_000 });
  const lines = (await steps.getByRole('listitem').allInnerTexts()).map(
    (text) => text.split('\n')[0],
  );
  assert.deepEqual(lines, [
    'Downloading',
    'Signatures checked',
    'In the other slot',
    'On trial',
    'Went back to the slot before',
  ]);
  await steps.getByText('no <b>network</b>').waitFor();
  await page.getByText('went back', { exact: true }).waitFor();
  // An older one is closed, and opens by the keyboard.
  const older = page.getByRole('list', { name: 'Steps of the update to thermo@1.0.0' });
  assert.equal(await older.isVisible(), false);
  await page.locator('summary', { hasText: 'thermo@1.0.0' }).press('Enter');
  await older.getByText('Confirmed').waitFor();
  assert.deepEqual(await accessibilityProblemsInBothThemes(page), []);
  const overflow = await page.evaluate<number>(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );
  assert.equal(overflow, 0);
  assert.deepEqual(browser.complaints, []);
});
