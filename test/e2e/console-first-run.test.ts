/**
 * The first minutes of a new server in the console, in Debian's Chromium: the one-time link, a passkey,
 * recovery codes, and the first device, whose readings come from Debian's mosquitto_pub.
 * First of all: npm run build
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Client } from '@holdfast/client';
import {
  type Browser,
  type ServerProcess,
  accessibilityProblemsInBothThemes,
  addAuthenticator,
  enrollByOpenssl,
  holdfast,
  mosquittoPub,
  openBrowser,
  run,
  signIn,
  signPayload,
  startServer,
  temporaryFolder,
  untilLive,
} from '@holdfast/testkit';

const PASSWORD = 'correct horse battery';

interface Lab extends Browser {
  readonly server: ServerProcess;
  readonly client: Client;
  readonly folder: string;
  /** The one-time link that the server printed. */
  readonly link: string;
  readonly site: string;
}

async function openLab(t: TestContext): Promise<Lab> {
  const folder = temporaryFolder(t);
  const server = await startServer(t, { dataDir: join(folder, 'data') });
  const client = server.client();
  t.after(() => client.close());
  const { pins } = await client.server();
  const browser = await openBrowser(t, { spkiPin: pins.spki, width: 1_280, height: 900 });
  const link = /https:\S+\/sign-in#first=\S+/u.exec(server.output.stderr)?.[0] ?? '';
  return { ...browser, server, client, folder, link, site: new URL(link).origin };
}

test('the one-time link leads to a passkey, recovery codes and a first verified reading', async (t) => {
  const lab = await openLab(t);
  const { page, client, server, folder, link, complaints } = lab;
  await addAuthenticator(lab);

  await page.goto(link);
  await page.getByRole('heading', { name: 'Welcome to your server' }).waitFor();
  // The code does not stay in the history.
  await page.waitForURL(({ hash }) => hash === '');
  assert.deepEqual(await client.people(), [], 'the code was used without a click');
  assert.deepEqual(await accessibilityProblemsInBothThemes(page), []);
  await page.getByLabel('Your name').fill('ada');
  await page.getByRole('button', { name: 'Continue' }).click();

  await page.getByRole('heading', { name: 'ada, make your passkey' }).waitFor();
  assert.deepEqual(await accessibilityProblemsInBothThemes(page), []);
  await page.getByRole('button', { name: 'Make a passkey' }).click();
  await page.getByLabel('New password').fill(PASSWORD);
  await page.getByRole('button', { name: 'show my recovery codes' }).click();
  const codes = page.getByRole('list', { name: 'Recovery codes' }).locator('code');
  await codes.first().waitFor();
  assert.equal(await codes.count(), 10);
  assert.deepEqual(await accessibilityProblemsInBothThemes(page), []);
  const goOn = page.getByRole('button', { name: 'Continue' });
  assert.ok(await goOn.isDisabled(), 'nobody has to say that the codes are kept');
  await page.getByLabel('I have kept them').check();
  await goOn.click();

  await page.getByRole('heading', { name: 'Connect your first device' }).waitFor();
  assert.deepEqual(await accessibilityProblemsInBothThemes(page), []);
  const claim = await addDevice(lab, 'thermostat-1');
  await page.getByText('Waiting for it to enroll').waitFor();
  await untilLive(page);
  assert.deepEqual(await accessibilityProblemsInBothThemes(page), []);

  // A claim that somebody mistyped: the page says what happened, and what to do.
  const bundle = join(folder, 'thermostat-1');
  const wrong = claim.replace(/.$/u, (last) => (last === 'A' ? 'Q' : 'A'));
  assert.notEqual((await enroll(wrong, bundle)).code, 0);
  await page.getByText('E_ENROLL_CLAIM').waitFor();
  assert.equal((await enroll(claim, bundle)).code, 0);
  await page.getByText('It is enrolled').waitFor();
  await page.getByText('Its claim is used: thermostat-1 has enrolled with it.').waitFor();
  const [certificate] = (await client.device('thermostat-1')).certificates;
  await page.getByText(certificate?.fingerprint.slice(0, 16) ?? 'none').waitFor();
  assert.equal(await page.getByText(claim).count(), 0, 'a used claim is still shown');
  assert.deepEqual(await accessibilityProblemsInBothThemes(page), []);
  await page.getByText('No verified reading yet').waitFor();

  const id = 'thermostat-1';
  const topic = `d/${id}/telemetry`;
  const publish = async (payload: string): Promise<void> => {
    const { code, stderr } = await mosquittoPub({
      bundle,
      port: server.ports.broker,
      id,
      topic,
      payload,
    });
    assert.equal(code, 0, stderr);
  };
  const reading = signPayload(bundle, { ctr: Date.now(), temp: 23.5, ts: Date.now() });
  await publish(reading.replace('23.5', '99.9'));
  await page.getByText('The signature does not match').waitFor();
  await page.getByText('E_VERIFY_SIG').waitFor();
  await page.getByText('What to do:').first().waitFor();
  await page.getByText('It has connected').waitFor();
  assert.ok(
    await page.getByText('No verified reading yet').isVisible(),
    'a forgery turned the light',
  );

  await publish(reading);
  await page.getByText('Its first verified reading is here').waitFor();
  await page.getByLabel('the signed bytes of the reading').getByText(reading).waitFor();
  assert.deepEqual(await accessibilityProblemsInBothThemes(page), []);
  await page.getByRole('button', { name: 'New claim for thermostat-1' }).click();
  await page.getByLabel('the claim', { exact: true }).waitFor();
  await page.getByText('A claim is a secret until it is used.').waitFor();
  assert.deepEqual(complaints, []);

  // The link works once.
  await page.goto(`${lab.site}/v1/sign-in/methods`);
  await page.goto(link);
  await page.getByLabel('Your name').fill('eve');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByText('This link is void.').waitFor();
  assert.deepEqual(
    (await client.people()).map(({ name, factors }) => [name, factors]),
    [['ada', ['password', 'passkey']]],
  );
  assert.ok(!server.output.stdout.includes(link.split('=').at(-1) ?? ''), 'the log has the code');
});

test('what the page shows works as it stands there, with openssl and mosquitto alone', async (t) => {
  const lab = await openLab(t);
  const { page, client, server, folder, site } = lab;
  await signIn(lab, client);
  await page.goto(`${site}/welcome`);
  const claim = await addDevice(lab, 'pump.1');
  await untilLive(page);
  assert.equal((await enrollByOpenssl(claim, folder)).code, 0);
  await page.getByText('It is enrolled').waitFor();

  await page.getByRole('tab', { name: 'openssl and curl' }).click();
  await page.getByLabel('the script enroll.sh').getByText('simpleenroll').first().waitFor();
  const shown = (label: string): Promise<string> =>
    page.getByLabel(label, { exact: true }).innerText();
  const files = { 'sign.py': await shown('the program sign.py') };
  const commands = `${await shown('the commands')}\n${await shown('the command that alters a reading')}`;
  const script = `set -e\ncat > sign.py <<'END'\n${files['sign.py']}\nEND\n${commands}`;
  const { code, stderr } = await runIn(folder, script);
  assert.equal(code, 0, stderr);
  await page.getByText('Its first verified reading is here').waitFor();
  await page.getByText('E_VERIFY_SIG').waitFor();

  await page.getByRole('tab', { name: 'ESP32' }).click();
  const { pins } = await client.server();
  await page.getByText(pins.spki, { exact: true }).waitFor();
  await page.getByText(pins.backupSpki, { exact: true }).waitFor();
  await page.getByText(`mqtts://localhost:${server.ports.broker}`, { exact: true }).waitFor();
  await page.getByText('-----BEGIN CERTIFICATE-----').waitFor();
  assert.deepEqual(await accessibilityProblemsInBothThemes(page), []);
});

test('who may not see something is not led to it, and is told so', async (t) => {
  const lab = await openLab(t);
  const { page, client, site, complaints } = lab;
  await signIn(lab, client, { name: 'vera', role: 'viewer' });
  await page.goto(`${site}/`);
  const pages = page.getByRole('navigation', { name: 'Pages' });
  await pages.getByRole('link', { name: 'Overview' }).waitFor();
  await pages.getByRole('link', { name: 'Settings' }).waitFor();
  assert.equal(await pages.getByRole('link', { name: 'People' }).count(), 0);
  assert.equal(await pages.getByRole('link', { name: 'Audit' }).count(), 0);
  await page.goto(`${site}/people`);
  await page.getByText('Your role, viewer, does not permit person:read.').waitFor();
  assert.deepEqual(await accessibilityProblemsInBothThemes(page), []);
  await page.goto(`${site}/account`);
  await page.getByText('You are vera (viewer).').waitFor();
  assert.deepEqual(await accessibilityProblemsInBothThemes(page), []);
  assert.deepEqual(complaints, []);

  // Somebody ends her session: the next thing that she asks leads to the sign-in page.
  for (const { id } of await client.sessions()) await client.endSession(id);
  const settings = pages.getByRole('link', { name: 'Settings' });
  const signInPage = page.getByRole('button', { name: 'Sign in with a passkey' });
  // Where something of the page has asked already, there is no link to click any more.
  await Promise.race([signInPage.waitFor(), settings.click().catch(() => {})]);
  await signInPage.waitFor();
  assert.deepEqual(await accessibilityProblemsInBothThemes(page), []);
});

/** Adds a device on the page, and gives its claim as it stands there. */
async function addDevice({ page }: Lab, id: string): Promise<string> {
  await page.getByLabel('Name of the device').fill(id);
  await page.getByRole('button', { name: 'Make its claim' }).click();
  await page.getByRole('heading', { name: `Connect ${id}` }).waitFor();
  return page.getByLabel('the claim', { exact: true }).innerText();
}

function enroll(claim: string, out: string): ReturnType<typeof holdfast> {
  return holdfast(['device', 'enroll', '--claim', '-', '--out', out], { input: claim });
}

function runIn(folder: string, script: string): ReturnType<typeof run> {
  return run('bash', ['-c', script], { cwd: folder });
}
