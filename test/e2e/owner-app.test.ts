/**
 * An owner with a phone: pairs it, sees readings arrive from a real device, sends commands and sees
 * them answered, and loses it all in the moment in which the device is reset. In Debian's Chromium,
 * on a real server. First of all: npm run build
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Client } from '@holdfast/client';
import { type Bundle, type Device, connect, enroll } from '@holdfast/device';
import {
  type Browser,
  type BrowserOptions,
  PAGE_MS_MAX,
  accessibilityProblemsInBothThemes,
  openBrowser,
  signedPayload,
  startServer,
  temporaryFolder,
  waitFor,
} from '@holdfast/testkit';
import { encode } from 'uqr';

interface Home extends Browser {
  readonly client: Client;
  /** `https://localhost:<port>` */
  readonly site: string;
  readonly bundle: Bundle;
  readonly device: Device;
  readonly deviceId: string;
}

/** A server with a device that is connected and answers commands, and a phone. */
async function openHome(t: TestContext, options: Partial<BrowserOptions> = {}): Promise<Home> {
  const folder = temporaryFolder(t);
  const server = await startServer(t, { dataDir: join(folder, 'data') });
  const client = server.client();
  t.after(() => client.close());
  const deviceId = 'pump-1';
  const { claim } = await client.addDevice({ id: deviceId, class: 'gateway' });
  const bundle = await enroll({ claim: claim.text, out: join(folder, deviceId) });
  const device = connect({ bundle });
  t.after(() => device.close());
  device.onCommand(async ({ name, ctr }) => {
    await device.publish({ of: ctr, speed: 2 }, { topic: `ack/${name}` });
  });
  await device.publish({ temperature: 19.5 });
  const { pins } = await client.server();
  const phone = { spkiPin: pins.spki, width: 360, height: 740, ...options };
  const browser = await openBrowser(t, phone);
  const site = `https://localhost:${server.ports.api}`;
  return { client, bundle, device, deviceId, site, ...browser };
}

/** Sends a message of the device that somebody has changed on its way. */
async function sendAltered({ client, bundle, deviceId, site }: Home): Promise<void> {
  const body = signedPayload(bundle, { ctr: 1_000_000 }).toString().replace('1000000', '1000001');
  const file = (name: string): Buffer => readFileSync(join(bundle.folder, name));
  const identity = { ca: bundle.anchorPem, cert: file('client.crt'), key: file('client.key') };
  const headers = { 'content-type': 'application/json' };
  const options = { ...identity, headers, method: 'POST', agent: false };
  const status = await new Promise((resolve, reject) => {
    const sent = request(`${site}/v1/d/${deviceId}/telemetry`, options, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode));
    });
    sent.once('error', reject).end(body);
  });
  assert.notEqual(status, 200);
  await waitFor('the refusal to be on the log', async () => {
    const refusals = await client.refusals();
    return refusals.some(
      ({ code, principal }) => code === 'E_VERIFY_SIG' && principal === deviceId,
    );
  });
}

/** Pairs the phone by the code as it stands on a label. */
async function pairByTyping({ client, page, site, deviceId }: Home): Promise<void> {
  const { of, code } = await client.pairCode(deviceId);
  await page.goto(`${site}/app`);
  await page.getByRole('button', { name: 'Type the code' }).click();
  await page.getByLabel('Name of the device').fill(of);
  await page.getByLabel('Code', { exact: true }).fill(code.toLowerCase().replaceAll('-', ' '));
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('heading', { name: `Pair this phone with ${of}?` }).waitFor();
  await page.getByRole('button', { name: 'Pair', exact: true }).click();
  await page.getByRole('heading', { name: 'My devices' }).waitFor();
}

test('an owner pairs, sees a reading arrive, commands, and loses all by a reset', async (t) => {
  const home = await openHome(t);
  const { client, device, deviceId, page, complaints, site, context } = home;
  await client.addDevice({ id: 'other-1', class: 'sensor' });
  await pairByTyping(home);
  await page.getByText('online').waitFor();
  await page.getByRole('link', { name: deviceId }).click();
  await page.getByText('The device has sent no numbers since you have it').waitFor();
  await page.getByText('live', { exact: true }).waitFor();
  await page.getByText('Nothing of it was refused since you have it.').waitFor();

  // What was sent before is not told; what comes now is there at once.
  await device.publish({ temperature: 21.25 });
  await page.getByText('21.25').first().waitFor();
  assert.equal(await page.getByText('19.5').count(), 0);

  await page.getByLabel('Command').fill('start');
  await page.getByRole('button', { name: 'Add a value' }).click();
  await page.getByLabel('Name', { exact: true }).fill('speed');
  await page.getByLabel('Value', { exact: true }).fill('2');
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await page.getByText('acknowledged').waitFor();

  // A device of nobody, or of somebody else, is the same as none.
  for (const id of ['other-1', 'no-such-device']) {
    await page.goto(`${site}/app#/devices/${id}`);
    await page.getByRole('heading', { name: id }).waitFor();
    await page.getByText('You have no such device').waitFor();
    for (const rest of ['', '/refusals']) {
      const answer = await page.evaluate(async (path) => {
        const found = await fetch(path);
        return `${found.status} ${await found.text()}`;
      }, `/v1/app/devices/${id}${rest}`);
      assert.match(answer, /^404 .*You have no such device/u);
    }
  }
  // Nothing of the operators' API opens to the cookie of the page, and no script sees it.
  const other = await page.evaluate<string>(
    `fetch('/v1/devices').then(({ status }) => status + ' [' + document.cookie + ']')`,
  );
  assert.equal(other, '401 []');
  const cookies = await context.cookies();
  assert.deepEqual(
    cookies.map(({ name, httpOnly, secure, sameSite }) => [name, httpOnly, secure, sameSite]),
    [['__Host-holdfast-app', true, true, 'Strict']],
  );

  await page.goto(`${site}/app#/devices/${deviceId}`);
  await page.getByText('21.25').first().waitFor();
  await page.getByText('live', { exact: true }).waitFor();
  await client.resetDevice(deviceId, 'sold');
  await page.getByText('You have no such device').waitFor();
  assert.equal(await page.getByText('21.25').count(), 0, 'what was shown is gone');
  await page.getByRole('link', { name: 'My devices' }).click();
  await page.getByText('You have no device now').waitFor();
  // Answers of 401 and 404 stand in the console of the browser; anything else would be a fault.
  const faults = complaints.filter((line) => !/status of 40[14]/u.test(line));
  assert.deepEqual(faults, []);
});

test('the key of the phone cannot be exported, and proves who it is after a reload', async (t) => {
  const home = await openHome(t);
  const { page, context, client } = home;
  await pairByTyping(home);
  const found = await page.evaluate(KEPT_KEY);
  assert.deepEqual(found, {
    extractable: false,
    usages: ['sign'],
    exports: ['pkcs8: InvalidAccessError', 'jwk: InvalidAccessError', 'raw: InvalidAccessError'],
    local: 0,
  });
  // Who takes the cookie away takes nothing that the key does not bring back.
  await context.clearCookies();
  await page.reload();
  await page.getByText('online').waitFor();
  const { pathname } = new URL(page.url());
  assert.equal(pathname, '/app');
  const kept = await client.acts({ limit: 50 });
  assert.equal(kept.filter(({ action }) => action === 'app.pair').length, 1);
});

test('the page renews its certificate with a new key, and can be installed', async (t) => {
  const home = await openHome(t);
  const { page, context, client } = home;
  await pairByTyping(home);
  const before = await page.evaluate<string>(KEPT_CERTIFICATE);
  // Two days later.
  await page.addInitScript(() => {
    const now = Date.now.bind(Date);
    Date.now = () => now() + 2 * 86_400_000;
  });
  await context.clearCookies();
  await page.reload();
  await page.getByText('online').waitFor();
  const acts = await client.acts({ limit: 50 });
  assert.ok(acts.some(({ action }) => action === 'app.renew'));
  const after = await page.evaluate<string>(KEPT_CERTIFICATE);
  assert.notEqual(after, before);
  await context.clearCookies();
  await page.reload();
  await page.getByText('online').waitFor();

  const tools = await context.newCDPSession(page);
  const { installabilityErrors } = await tools.send('Page.getInstallabilityErrors');
  const errors = installabilityErrors.map(({ errorId }) => errorId);
  // The contexts of these tests are private windows.
  assert.deepEqual(
    errors.filter((error) => error !== 'in-incognito'),
    [],
  );
});

/** A script for the page: gives what this phone keeps of itself as `kept`. */
const WITH_KEPT = (body: string): string => `new Promise((resolve, reject) => {
  const open = indexedDB.open('holdfast-owner');
  open.onerror = () => reject(open.error);
  open.onsuccess = () => {
    const get = open.result.transaction('identity').objectStore('identity').get('now');
    get.onerror = () => reject(get.error);
    get.onsuccess = () => resolve((async (kept) => { ${body} })(get.result));
  };
})`;

/** The certificate that counts. */
const KEPT_CERTIFICATE = WITH_KEPT('return kept.certificatePem;');

/** What a script of the page could do with the key. */
const KEPT_KEY = WITH_KEPT(`
  const { privateKey } = kept.keys;
  const exports = [];
  for (const form of ['pkcs8', 'jwk', 'raw']) {
    const what = await crypto.subtle.exportKey(form, privateKey).then(
      () => 'given out',
      ({ name }) => name,
    );
    exports.push(form + ': ' + what);
  }
  const { extractable, usages } = privateKey;
  return { extractable, usages, exports, local: localStorage.length + sessionStorage.length };
`);

test('a code is scanned by the camera; one of another server is sent nowhere', async (t) => {
  const folder = temporaryFolder(t);
  const camera = join(folder, 'camera.y4m');
  const switches = [
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    `--use-file-for-fake-video-capture=${camera}`,
  ];
  writeFileSync(camera, picture('nothing of ours'));
  const home = await openHome(t, { switches });
  const { client, page, site, deviceId } = home;
  const { text } = await client.pairCode(deviceId);
  const [, host = ''] = /holdfast-pair\/1\/([^/]+)/u.exec(text) ?? [];
  const ofOther = text.replace(/\/[A-Za-z0-9_-]{43}\//u, `/${'A'.repeat(43)}/`);

  const requests: string[] = [];
  page.on('request', (sent) => requests.push(`${sent.method()} ${new URL(sent.url()).pathname}`));
  await page.goto(`${site}/app#/pair/${encodeURIComponent(ofOther)}`);
  await page.getByRole('button', { name: 'Pair', exact: true }).click();
  await page.getByText(`This code is of another server: ${host.split(':')[0]}.`).waitFor();
  assert.ok(!requests.includes('POST /v1/pair'), requests.join());
  await page.getByRole('button', { name: 'Cancel' }).click();

  writeFileSync(camera, picture(text));
  await page.getByRole('button', { name: 'Scan the code' }).click();
  await page.getByRole('heading', { name: `Pair this phone with ${deviceId}?` }).waitFor();
  await page.getByRole('button', { name: 'Pair', exact: true }).click();
  await page.getByRole('heading', { name: 'My devices' }).waitFor();
  await page.getByText('online').waitFor();
});

test('another phone is invited, and removed; and nothing old is shown as live', async (t) => {
  const home = await openHome(t);
  const { page, context, client, deviceId, site } = home;
  await pairByTyping(home);
  await page.getByRole('link', { name: 'Phones' }).click();
  await page.getByRole('button', { name: 'Show a code' }).click();
  await page.getByRole('img', { name: 'The code for another phone' }).waitFor();
  const [name = '', code = ''] = await page.locator('dd').allTextContents();
  assert.match(name, /^owner:/u);

  const other = await context.browser()?.newContext({ viewport: { width: 360, height: 740 } });
  assert.ok(other !== undefined);
  other.setDefaultTimeout(PAGE_MS_MAX);
  const tablet = await other.newPage();
  await tablet.goto(`${site}/app`);
  await tablet.getByRole('button', { name: 'Type the code' }).click();
  await tablet.getByLabel('Name of the device').fill(name);
  await tablet.getByLabel('Code', { exact: true }).fill(code);
  await tablet.getByRole('button', { name: 'Continue' }).click();
  await tablet.getByRole('button', { name: 'Pair', exact: true }).click();
  await tablet.getByRole('link', { name: deviceId }).waitFor();

  await page.reload();
  await page.getByRole('heading', { name: 'Phone 2' }).waitFor();
  await page.getByRole('button', { name: 'Remove it' }).click();
  await page.getByRole('button', { name: 'Yes, remove it' }).click();
  await page.getByRole('heading', { name: 'Phone 2' }).waitFor({ state: 'detached' });
  await tablet.reload();
  await tablet.getByText('This phone is not paired any more').waitFor();
  await other.close();

  await page.goto(`${site}/app#/`);
  await page.getByText('online').waitFor();
  await context.setOffline(true);
  await page.getByText('The server cannot be reached.').waitFor();
  assert.equal(await page.getByText('online').count(), 0);
  await context.setOffline(false);
  await page.getByText('online').waitFor();
  assert.equal(await page.getByText('The server cannot be reached.').count(), 0);

  await page.getByRole('link', { name: deviceId }).click();
  await page.getByRole('button', { name: 'Give it away…' }).click();
  const give = page.getByRole('button', { name: 'Give it away and erase what it sent' });
  await page.getByLabel(`Type ${deviceId} to go on`).fill('pump');
  assert.ok(await give.isDisabled());
  await page.getByLabel(`Type ${deviceId} to go on`).fill(deviceId);
  await give.click();
  await page.getByText('You have no device now').waitFor();
  await waitFor('it to be on record', async () => {
    const acts = await client.acts({ limit: 20 });
    return acts.some(({ action }) => action === 'device.give-away');
  });
});

test('every page can be used by everybody, in both themes, and fits 360 pixels', async (t) => {
  const home = await openHome(t);
  const { page, device, deviceId, site } = home;
  const judge = async (what: string): Promise<void> => {
    assert.deepEqual(await accessibilityProblemsInBothThemes(page), [], what);
    const overflow = await page.evaluate<number>(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
    assert.equal(overflow, 0, `${what} is too wide`);
  };
  await page.goto(`${site}/app`);
  await page.getByRole('button', { name: 'Type the code' }).click();
  await page.getByRole('button', { name: 'Continue' }).click();
  await judge('the code');
  await pairByTyping(home);
  await device.publish({ temperature: 21.25, running: true });
  await page.getByText('21.25').waitFor();
  await judge('the devices');
  await sendAltered(home);
  await page.getByRole('link', { name: deviceId }).click();
  const refused = page.getByRole('region', { name: 'Refused in the last day' });
  await refused
    .getByRole('heading', { name: '1 message did not bear the signature of the device' })
    .waitFor();
  assert.match(await refused.innerText(), /Somebody may have changed .*What to do: Tell the/su);
  await page.getByRole('img', { name: /^temperature, /u }).waitFor();
  await page.getByLabel('Command').fill('start');
  await page.getByRole('button', { name: 'Add a value' }).click();
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await page.getByText('acknowledged').waitFor();
  await page.getByRole('button', { name: 'Show them' }).click();
  await page.getByRole('button', { name: 'Give it away…' }).click();
  await judge('the device');
  await page.getByRole('link', { name: 'Updates' }).click();
  await page.getByText('Nothing waits for you').waitFor();
  await judge('the updates');
  await page.getByRole('link', { name: 'Phones' }).click();
  await page.getByRole('button', { name: 'Show a code' }).click();
  await page.getByRole('img', { name: 'The code for another phone' }).waitFor();
  await page.getByRole('button', { name: 'Remove this phone' }).click();
  await judge('the phones');
});

/** A picture with a QR code as Chromium takes it for its camera: YUV4MPEG2, one frame. */
function picture(text: string): Buffer {
  const [width, height] = [640, 480];
  const { size, data } = encode(text, { ecc: 'L', border: 4 });
  const scale = Math.floor(height / size);
  const [left, top] = [(width - size * scale) >> 1, (height - size * scale) >> 1];
  const luma = Buffer.alloc(width * height, 235);
  for (let y = 0; y < size * scale; y += 1) {
    for (let x = 0; x < size * scale; x += 1) {
      const isDark = data[Math.floor(y / scale)]?.[Math.floor(x / scale)] ?? false;
      if (isDark) luma[(top + y) * width + left + x] = 16;
    }
  }
  const chroma = Buffer.alloc((width * height) / 2, 128);
  const header = `YUV4MPEG2 W${width} H${height} F10:1 Ip A1:1 C420jpeg\n`;
  return Buffer.concat([Buffer.from(header), Buffer.from('FRAME\n'), luma, chroma]);
}
