/**
 * The list of devices in the console, in Debian's Chromium on a real server: find, select, see what
 * would happen, do it, add one and many. First of all: npm run build
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
} from '@holdfast/testkit';

interface Lab extends Browser {
  readonly client: Client;
  readonly site: string;
}

async function openLab(t: TestContext): Promise<Lab> {
  const server = await startServer(t, { dataDir: join(temporaryFolder(t), 'data') });
  const client = server.client();
  t.after(() => client.close());
  const devices = Array.from({ length: 300 }, (_, at) => ({
    id: `${at % 3 === 0 ? 'thermostat' : 'pump'}-${String(at).padStart(4, '0')}`,
    class: (['sensor', 'actuator', 'gateway'] as const)[at % 3] ?? 'sensor',
    group: at % 2 === 0 ? 'north' : '',
    tags: at % 4 === 0 ? ['roof'] : [],
  }));
  await client.importDevices({ devices });
  await client.actOnDevice('pump-0001', 'retire', 'broken');
  const { pins } = await client.server();
  const browser = await openBrowser(t, { spkiPin: pins.spki, width: 1_280, height: 900 });
  await signIn(browser, client);
  return { ...browser, client, site: `https://localhost:${server.ports.api}` };
}

test('devices are found, and many are changed as it was shown', async (t) => {
  const { page, client, site, complaints } = await openLab(t);
  await page.goto(`${site}/devices`);
  await page.getByText('300 devices', { exact: true }).waitFor();
  assert.deepEqual(await accessibilityProblemsInBothThemes(page), []);

  // Search and filters stand in the address, and are taken away one by one.
  await page.getByLabel('Search for devices').fill('PUMP-00');
  await page.getByText('66 devices', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Filter', exact: true }).click();
  await page.getByRole('checkbox', { name: /^gateway/u }).click();
  assert.deepEqual(await accessibilityProblemsInBothThemes(page), []);
  await page.getByRole('button', { name: 'Show the devices' }).click();
  await page.getByText('33 devices', { exact: true }).waitFor();
  assert.match(page.url(), /[?&]q=PUMP-00&class=gateway$/u);
  await page.getByRole('button', { name: 'Remove the filter Class: gateway' }).click();
  await page.getByText('66 devices', { exact: true }).waitFor();

  // All that match are selected; the plan says who stays as they are, and why.
  await page.getByRole('checkbox', { name: 'Select pump-0001', exact: true }).click();
  await page.getByRole('button', { name: 'Select all 66 devices that match' }).click();
  await page.getByRole('button', { name: 'Do something to them' }).click();
  await page.getByRole('menuitem', { name: /^Revoke/u }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('65 devices: registered → revoked').waitFor();
  await dialog.getByText(/It is retired and cannot be revoked: .* \(1 device\)/u).waitFor();
  assert.deepEqual(await accessibilityProblemsInBothThemes(page), []);
  await dialog.getByLabel('Why').fill('recalled');

  // One of them changes meanwhile: nothing is done before it was looked at again.
  await client.actOnDevice('pump-0002', 'retire', 'broken, too');
  const go = dialog.getByRole('button', { name: /^Revoke/u });
  await dialog.getByLabel('Type 65 to go on').fill('64');
  assert.equal(await go.isDisabled(), true);
  await dialog.getByLabel('Type 65 to go on').fill('65');
  await go.click();
  await dialog.getByText('Nothing was done: the devices have changed').waitFor();
  assert.equal((await client.device('pump-0004')).device.state, 'registered');
  await dialog.getByRole('button', { name: 'Look again' }).click();
  await dialog.getByLabel('Type 64 to go on').fill('64');
  await dialog.getByRole('button', { name: 'Revoke: 64 devices' }).click();
  await dialog.getByText('Revoke: 64 devices changed.').waitFor();
  await dialog.getByRole('button', { name: 'Done' }).click();
  const revoked = await client.devices({ state: 'revoked' });
  assert.equal(revoked.length, 64);
  assert.equal(revoked[0]?.stateReason, 'recalled');
  await page.getByRole('table').getByText('revoked').first().waitFor();

  // Tags of some.
  await page.goto(`${site}/devices?q=thermostat-000`);
  await page.getByRole('checkbox', { name: 'Select the devices that are loaded' }).click();
  await page.getByRole('button', { name: 'Do something to them' }).click();
  await page.getByRole('menuitem', { name: /^Add tags/u }).click();
  await page.getByRole('textbox', { name: 'Tags' }).fill('winter, roof');
  await page.getByRole('button', { name: 'See what would change' }).click();
  await page.getByLabel('Why').fill('found them');
  await page.getByRole('button', { name: /^Add tags: 4/u }).click();
  await page.getByText('Add tags: 4 devices changed.').waitFor();
  assert.deepEqual((await client.device('thermostat-0003')).device.tags, ['roof', 'winter']);
  // The browser tells of the conflict that was asked for.
  assert.deepEqual(
    complaints.filter((text) => !text.includes('409')),
    [],
  );
});

test('devices are added, one with a QR code, and many from a file', async (t) => {
  const { page, client, site, complaints } = await openLab(t);
  await page.goto(`${site}/devices`);
  await page.getByRole('button', { name: 'Add devices' }).click();
  await page.getByLabel(/^Name of the device/u).fill('meter-1');
  await page.getByLabel(/^Tags/u).fill('cellar');
  assert.deepEqual(await accessibilityProblemsInBothThemes(page), []);
  await page.getByRole('button', { name: 'Add it, and make its claim' }).click();
  await page.getByRole('img', { name: 'QR code of the claim of meter-1' }).waitFor();
  await page.getByText(/^holdfast-claim\/1\//u).waitFor();
  assert.deepEqual((await client.device('meter-1')).device.tags, ['cellar']);
  await page.getByRole('button', { name: 'Done' }).click();

  await page.getByRole('button', { name: 'Add devices' }).click();
  await page.getByRole('tab', { name: 'Many, from a file' }).click();
  const choose = (text: string): Promise<void> =>
    page.locator('input[type=file]').setInputFiles({
      name: 'devices.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from(text),
    });
  await choose('id,class\nmeter-1,sensor\nmeter-2,senser\n');
  await page.getByText(/Line 3: "senser" is no class/u).waitFor();
  await choose('id,class\nmeter-1,sensor\nmeter-2,sensor\n');
  await page.getByText('Line 2: meter-1 exists already.').waitFor();
  assert.deepEqual(await accessibilityProblemsInBothThemes(page), []);
  await choose('id,class,group,tags\nmeter-2,sensor,north,cellar dry\nmeter-3,sensor,,\n');
  await page.getByText('2 devices would be added. Nothing is done yet.').waitFor();
  await page.getByRole('button', { name: 'Import 2 devices' }).click();
  await page.getByText('2 devices are imported.').waitFor();
  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save claims.csv' }).click();
  assert.equal((await saved).suggestedFilename(), 'claims.csv');
  await page.getByRole('button', { name: 'Done' }).click();
  assert.deepEqual((await client.device('meter-2')).device.tags, ['cellar', 'dry']);
  assert.deepEqual(complaints, []);
});

test('the list works at the width of a phone', async (t) => {
  const { page, site, complaints } = await openLab(t);
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(`${site}/devices?q=thermostat`);
  await page.getByText('100 devices', { exact: true }).waitFor();
  assert.deepEqual(await accessibilityProblemsInBothThemes(page), []);
  const width = await page.evaluate('document.documentElement.scrollWidth');
  assert.equal(width, 390, 'nothing stands out to the side');
  await page.getByRole('button', { name: 'Select those that are loaded' }).click();
  await page.getByText('100 devices selected').waitFor();
  await page.goto(`${site}/devices?q=nowhere`);
  await page.getByText('No device matches.').waitFor();
  await page.getByRole('button', { name: 'Remove all filters' }).click();
  await page.getByText('300 devices', { exact: true }).waitFor();
  assert.deepEqual(complaints, []);
});
