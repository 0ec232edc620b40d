/**
 * What administrators and auditors do in the console, in Debian's Chromium on a real server: invite,
 * explain, make tokens, set retention, rotate keys, verify the log in the browser.
 * First of all: npm run build
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Client } from '@holdfast/client';
import {
  type Browser,
  accessibilityProblemsInBothThemes,
  openBrowser,
  signIn,
  startServer,
  temporaryFolder,
  untilLive,
} from '@holdfast/testkit';

interface Lab extends Browser {
  readonly client: Client;
  readonly site: string;
}

async function openLab(t: TestContext): Promise<Lab> {
  const server = await startServer(t, { dataDir: join(temporaryFolder(t), 'data') });
  const client = server.client();
  t.after(() => client.close());
  const { pins } = await client.server();
  const browser = await openBrowser(t, { spkiPin: pins.spki, width: 1_280, height: 900 });
  await signIn(browser, client);
  return { ...browser, client, site: `https://localhost:${server.ports.api}` };
}

test('people, access and settings', async (t) => {
  const { page, client, site, complaints } = await openLab(t);

  await page.goto(`${site}/people`);
  await page.getByText('ann (you)').waitFor();
  await page.getByRole('button', { name: 'Invite a person' }).click();
  await page.getByLabel(/^Name/u).fill('bob');
  await page.getByLabel('operator').check();
  await page.getByRole('button', { name: 'Invite', exact: true }).click();
  await page.getByRole('dialog').getByText('It is shown this once').waitFor();
  assert.deepEqual(
    (await client.people()).map(({ name, role, state }) => `${name} ${role} ${state}`),
    ['ann administrator active', 'bob operator invited'],
  );
  await page.keyboard.press('Escape');
  await page.getByRole('cell', { name: 'bob', exact: true }).waitFor();
  assert.deepEqual(await accessibilityProblemsInBothThemes(page), []);

  await page.goto(`${site}/access`);
  await page.getByLabel(/^Who/u).fill('role:viewer');
  await page.getByRole('combobox', { name: /^does what/u }).fill('audit:read');
  await page.getByLabel(/^on what/u).fill('server');
  await page.getByRole('button', { name: 'Explain' }).click();
  await page.getByText('No rule permits it.').waitFor();
  await page.getByRole('button', { name: 'Make a token' }).click();
  await page.getByLabel(/^What it is for/u).fill('nightly report');
  await page.getByRole('button', { name: 'Make', exact: true }).click();
  const token = await page.getByRole('dialog').locator('pre').innerText();
  assert.match(token, /^hf_[\w-]{43}$/u);
  await page.getByRole('button', { name: 'I have kept it' }).click();
  await page.getByRole('button', { name: 'End', exact: true }).click();
  await page.getByRole('button', { name: 'End it' }).click();
  await page.getByText('There are no API tokens.').waitFor();
  assert.deepEqual(await accessibilityProblemsInBothThemes(page), []);

  await page.goto(`${site}/settings`);
  await page.getByRole('button', { name: 'Change sensor' }).click();
  await page.getByLabel(/^Keep messages/u).fill('90');
  await page.getByRole('button', { name: 'Change', exact: true }).last().click();
  await page.getByRole('cell', { name: '90 days' }).waitFor();
  assert.equal((await client.deviceClass('sensor')).retention?.ageDays, 90);
  await page.getByRole('button', { name: /new key-encryption key/u }).click();
  await page.getByRole('button', { name: 'Make it' }).click();
  await page.getByText(/version 2, made/u).waitFor();
  assert.equal((await client.keyStatus()).versions.at(-1)?.version, 2);
  assert.deepEqual(await accessibilityProblemsInBothThemes(page), []);
  // At phone width the tables stand as lines: nothing is out of sight at the side.
  await page.setViewportSize({ width: 390, height: 844 });
  for (const path of ['settings', 'people', 'audit']) {
    await page.goto(`${site}/${path}`);
    await page.locator('td').first().waitFor();
    for (const table of await page.locator('table').all()) {
      const { x, width } = (await table.boundingBox()) ?? assert.fail();
      assert.ok(x + width <= 390, `${path}: a table is ${width} wide`);
    }
    assert.deepEqual(await accessibilityProblemsInBothThemes(page), []);
  }
  assert.deepEqual(complaints, []);
});

test('the log is verified in the browser, which notices another one', async (t) => {
  const { page, client, site, complaints } = await openLab(t);
  for (let at = 0; at < 20; at += 1) await client.addDevice({ id: `d${at}`, class: 'sensor' });
  await page.goto(`${site}/audit`);
  await page.getByText('This browser has not seen the log yet.').waitFor();
  const verify = page.getByRole('button', { name: 'Verify now' });
  await verify.click();
  await page.getByText(/^All \d+ entries have the signed root/u).waitFor();
  assert.deepEqual(await accessibilityProblemsInBothThemes(page), []);
  await untilLive(page);
  await client.addDevice({ id: 'one-more', class: 'sensor' });
  await page.getByRole('link', { name: 'one-more' }).waitFor();
  await verify.click();
  await page.getByText(/are those that this browser saw/u).waitFor();

  await page.getByRole('button', { name: 'Verify on the server' }).click();
  await page.getByText(/^All \d+ entries are as they were written/u).waitFor();

  // As if the log had been replaced since.
  await page.evaluate(() => {
    const seen = JSON.parse(localStorage.getItem('holdfast-seen-log') ?? '{}') as { root: string };
    const root = seen.root.startsWith('A') ? `B${seen.root.slice(1)}` : `A${seen.root.slice(1)}`;
    localStorage.setItem('holdfast-seen-log', JSON.stringify({ ...seen, root }));
  });
  await verify.click();
  await page.getByText(/it was rewritten/u).waitFor();
  assert.deepEqual(complaints, []);
});
