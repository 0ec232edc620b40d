/**
 * What stays of somebody who has left the console, and where signing in leads, in Debian's Chromium.
 * First of all: npm run build
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { openBrowser, signIn, startServer, temporaryFolder } from '@holdfast/testkit';

test('signing in leads to this server, and who goes back after signing out sees nothing', async (t) => {
  const server = await startServer(t, { dataDir: join(temporaryFolder(t), 'data') });
  const client = server.client();
  t.after(() => client.close());
  const { pins } = await client.server();
  const browser = await openBrowser(t, { spkiPin: pins.spki, width: 1_280, height: 900 });
  const { page, context, complaints } = browser;
  const ann = await signIn(browser, client);
  const site = `https://localhost:${server.ports.api}`;
  await context.clearCookies();

  // For a browser, what follows the two slashes is a host.
  await page.goto(`${site}//evil.example/devices`);
  await page.getByLabel('Name').fill(ann.name);
  await page.getByLabel('Password').fill('correct horse battery');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByLabel('Code').fill(ann.code());
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(`${site}/evil.example/devices`);
  await page.getByText('This address leads to no page.').waitFor();

  await page.goto(`${site}/people`);
  await page.getByText('ann (you)').waitFor();
  // The tests run without the cache of pages that browsers show again: this is how it tells.
  const loaded = page.waitForEvent('load');
  await page.evaluate(
    // A moment later: the page that would give the answer is gone then.
    `setTimeout(() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))), 0`,
  );
  await loaded;
  await page.getByText('ann (you)').waitFor();

  await page.getByRole('button', { name: 'ann' }).first().click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.waitForURL(`${site}/sign-in`);
  await page.goBack();
  await page.waitForURL(`${site}/sign-in`);
  await page.getByLabel('Password').waitFor();
  assert.equal(await page.getByText('ann').count(), 0);
  // What is left tells no more than that somebody has signed in here before: see SignInLimits.
  const cookies = (await context.cookies()).map(({ name }) => name);
  assert.deepEqual(cookies, ['__Host-holdfast-browser']);
  const kept = await page.evaluate(() => localStorage.length + sessionStorage.length);
  assert.equal(kept, 0);
  assert.deepEqual(
    complaints.filter((text) => !text.includes('401')),
    [],
  );
});
