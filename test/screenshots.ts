/**
 * Takes a picture of every page of the console, in both themes and at phone width, of a server with
 * a simulated fleet, for a person to look at:
 *
 *     npm run screenshots            all of them
 *     npm run screenshots -- /people those of some pages
 */
import { rmSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openBrowser, signIn, startServer, temporaryFolder } from '@holdfast/testkit';
import { People } from './integration/firmware-people.ts';
import { takeOwnerPictures } from './owner-pictures.ts';

const FOLDER = join(import.meta.dirname, '..', 'screenshots');
const SECONDS = Number(process.env['HOLDFAST_SIMULATE_S'] ?? 45);
const WANTED = process.argv.slice(2);
const WIDE = { width: 1_360, height: 900 };
const PHONE = { width: 390, height: 844 };

const PAGES = [
  '/',
  '/devices',
  '/devices/DEVICE',
  '/devices/DEVICE/readings',
  '/devices/DEVICE/refusals',
  '/devices/DEVICE/commands',
  '/devices/DEVICE/firmware',
  '/devices/DEVICE/access',
  '/devices/DEVICE/identity',
  '/refusals',
  '/refusals?by=device',
  '/audit',
  '/firmware',
  '/rollouts',
  '/rollouts/ROLLOUT',
  '/people',
  '/access',
  '/settings',
  '/account',
  '/welcome',
  '/app',
];

test('screenshots', async (t) => {
  const server = await startServer(t, { dataDir: join(temporaryFolder(t), 'data') });
  const client = server.client();
  t.after(() => client.close());
  const fleet = ['--devices', '40', '--class', 'thermostat', '--misbehave', '4'];
  const simulated = await server.cli(
    ['simulate', ...fleet, '--backfill', '24h', '--for', `${SECONDS}s`],
    { timeoutMs: (SECONDS + 120) * 1_000 },
  );
  t.diagnostic(simulated.stdout.slice(-2_000) + simulated.stderr.slice(-2_000));
  const people = new People();
  await people.init(client);
  await people.release(client, '1.0.0');
  await people.release(client, '2.0.0', undefined, { severity: 'high', fixes: ['CVE-2026-1234'] });
  await people.propose(client, '2.1.0');
  const devices = await client.devices();
  for (const { id } of devices.slice(0, 30)) {
    await client.setDeviceHardware(id, { hardware: 'thermo-a', reason: 'as labeled' });
  }
  const { id: rollout } = await client.draftRollout({
    release: 'thermo@2.0.0',
    plan: { stages: [{ select: { percent: 10 } }, { select: { percent: 100 } }] },
  });
  await client.startRollout(rollout, 'version 2 closes CVE-2026-1234');
  const { pins } = await client.server();
  const browser = await openBrowser(t, { spkiPin: pins.spki, ...WIDE });
  const { page, complaints } = browser;
  await signIn(browser, client);
  await client.invitePerson({ name: 'bob', role: 'operator' });
  const device = devices.find(({ id }) => id.startsWith('sim-'))?.id ?? devices[0]?.id ?? '';
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const site = `https://localhost:${server.ports.api}`;
  const take = async (path: string, kind: string): Promise<void> => {
    await page.goto(site + path.replace('DEVICE', device).replace('ROLLOUT', rollout));
    await page.waitForSelector('h1');
    await page.waitForTimeout(1_200);
    const name = path === '/' ? 'overview' : path.slice(1).replaceAll(/\W/gu, '-').toLowerCase();
    // A list that is drawn as it is scrolled is empty below what is in sight.
    const fullPage = path !== '/devices';
    await page.screenshot({ path: join(FOLDER, `${name}.${kind}.png`), fullPage });
  };
  for (const kind of ['light', 'dark', 'phone'] as const) {
    await page.emulateMedia({ colorScheme: kind === 'dark' ? 'dark' : 'light' });
    await page.setViewportSize(kind === 'phone' ? PHONE : WIDE);
    for (const path of PAGES.filter((path) => WANTED.length === 0 || WANTED.includes(path))) {
      try {
        await take(path, kind);
      } catch (error) {
        t.diagnostic(`${path} ${kind}: ${String(error).slice(0, 300)}`);
      }
    }
  }
  const takeOwner = async (name: string): Promise<void> => {
    for (const [kind, colorScheme] of [
      ['phone', 'light'],
      ['phone-dark', 'dark'],
    ] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: join(FOLDER, `${name}.${kind}.png`), fullPage: true });
    }
  };
  await page.setViewportSize(PHONE);
  await takeOwnerPictures(t, { client, page, site, take: takeOwner });
  t.diagnostic(`complaints: ${JSON.stringify([...new Set(complaints)], undefined, 1)}`);
});
