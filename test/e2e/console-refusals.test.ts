/**
 * The overview and the refusals in the console, in Debian's Chromium on a real server: a message
 * that was altered shows at once, with what to do; the device is quarantined there, and its
 * connection closes. First of all: npm run build
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { encodePublish } from '@holdfast/protocol/mqtt';
import {
  RawClient,
  accessibilityProblemsInBothThemes,
  openBrowser,
  signIn,
  signedPayload,
  startInProcess,
  waitFor,
  untilLive,
} from '@holdfast/testkit';

test('a refusal is seen, understood, and answered', async (t) => {
  const server = await startInProcess(t);
  const { client } = server;
  const bundle = await server.enroll('pump-1', 'gateway');
  // It sends no PINGREQ, however long the pages take: only the quarantine is to close it.
  const peer = await RawClient.connect(bundle, { keepAliveS: 0 });
  const closed = once(peer.socket, 'close');
  let sent = 0;
  const publish = async (change: (text: string) => string): Promise<void> => {
    sent += 1;
    const text = change(signedPayload(bundle, { ctr: sent, place: 'hall' }).toString('utf8'));
    const payload = Buffer.from(text);
    peer.send(encodePublish('d/pump-1/telemetry', payload, { qos: 1, packetId: sent }));
    await peer.expect('puback');
  };
  const { pins } = await client.server();
  const browser = await openBrowser(t, { spkiPin: pins.spki, width: 1_280, height: 900 });
  const { page, complaints } = browser;
  await signIn(browser, client);
  const site = `https://localhost:${server.ports.api}`;

  await t.test(
    'where nothing was refused, the page says so, and what would stand there',
    async () => {
      await page.goto(`${site}/refusals?device=pump-1`);
      await page.getByText('No refusal fits.').waitFor();
      await page.goto(`${site}/refusals?by=device`);
      assert.deepEqual(await accessibilityProblemsInBothThemes(page), []);
    },
  );

  await t.test('an altered message shows at once; those that are alike are one line', async () => {
    await page.goto(`${site}/refusals?code=E_VERIFY_SIG`);
    await page.getByText('No refusal fits.').waitFor();
    await untilLive(page);
    await publish((text) => text.replace('hall', 'lab'));
    const line = page.getByRole('button', { name: /The signature does not match/u });
    await line.waitFor();
    await publish((text) => text.replace('hall', 'lab'));
    await page.getByText('2 times').waitFor();
    await line.click();
    await page.getByText(/somebody changed the message on its way/u).waitFor();
    await page.getByText(/treat the message as tampered/u).waitFor();
    assert.deepEqual(await accessibilityProblemsInBothThemes(page), []);
  });

  await t.test('while one is open, new ones wait until they are asked for', async () => {
    await publish((text) => text.replace('hall', 'attic'));
    await page.getByRole('button', { name: 'Show 1 new refusal' }).click();
    await page.getByText('3 times', { exact: true }).waitFor();
  });

  await t.test('what came while the stream was not there yet is shown once it is', async () => {
    const opened = Promise.withResolvers<void>();
    await page.route('**/v1/live', async (route) => {
      await opened.promise;
      await route.continue();
    });
    await page.goto(`${site}/refusals?code=E_VERIFY_SIG`);
    await page.getByText('3 times', { exact: true }).waitFor();
    await publish((text) => text.replace('hall', 'cellar'));
    opened.resolve();
    await page.getByText('4 times', { exact: true }).waitFor();
    await page.unroute('**/v1/live');
  });

  await t.test('the overview has it in its figures, and all is well so far', async () => {
    await page.goto(site);
    await page.getByRole('link', { name: /Refused in the last hour/u }).waitFor();
    await page.getByText('All is well.', { exact: true }).waitFor();
    assert.deepEqual(await accessibilityProblemsInBothThemes(page), []);
  });

  await t.test(
    'it is quarantined right there, with a reason, and its connection closes',
    async () => {
      // No event of the server helps: the page asks anew after its own act.
      const silence = { contentType: 'text/event-stream', body: 'retry: 3600000\n\n' };
      await page.route('**/v1/live', (route) => route.fulfill(silence));
      await page.goto(`${site}/refusals?by=device&span=hour`);
      await page.getByRole('button', { name: 'Quarantine pump-1' }).click();
      await page.getByLabel(/^Why/u).fill('it sends altered messages');
      await page.getByRole('dialog').getByRole('button', { name: 'Quarantine' }).click();
      await closed;
      await page.getByText('quarantined', { exact: true }).waitFor();
      const { device } = await client.device('pump-1');
      assert.deepEqual(
        [device.state, device.stateReason, device.stateBy],
        ['quarantined', 'it sends altered messages', 'person:ann'],
      );
      await page.unroute('**/v1/live');
    },
  );

  await t.test('the overview says so first, and leads there', async () => {
    // The fleet is counted once for all who ask within some seconds.
    await waitFor('the overview to know', async () =>
      (await client.overview()).troubles.some(({ code }) => code === 'devices-quarantined'),
    );
    await page.goto(site);
    await page.getByRole('heading', { name: /1 device is in quarantine/u }).waitFor();
    await page.getByRole('link', { name: /^See the devices/u }).click();
    await page.getByRole('link', { name: 'pump-1' }).waitFor();
  });

  await t.test('the audit log tells it in words, and how it is called there', async () => {
    await page.goto(`${site}/audit`);
    await page.getByLabel('Find acts by who, what or which').fill('device.quarantine');
    const what = page.getByText('Quarantined a device', { exact: true });
    await what.hover();
    await page.getByText('device.quarantine', { exact: true }).waitFor();
    assert.equal(await page.getByText('Enrolled', { exact: true }).count(), 0);
    await page.goto(`${site}/devices/pump-1/identity`);
    await page.getByText('Was quarantined').hover();
    await page.getByText('device.quarantine', { exact: true }).waitFor();
  });

  assert.deepEqual(complaints, []);
});
