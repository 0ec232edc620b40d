/** Pictures of the owner's page: a device is paired, measures, and answers a command. @module */
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@holdfast/client';
import { connect, enroll } from '@holdfast/device';
import { type Browser, temporaryFolder } from '@holdfast/testkit';

/** What the pictures are taken with. */
export interface OwnerPictures {
  readonly client: Client;
  readonly page: Browser['page'];
  /** `https://host:port` */
  readonly site: string;
  /** Takes one, of the page as it is now. */
  readonly take: (name: string) => Promise<void>;
}

const DEVICE = 'garden-pump';
const READINGS = 40;
const READING_EVERY_MS = 100;

/** Takes a picture of each page of an owner. */
export async function takeOwnerPictures(t: TestContext, pictures: OwnerPictures): Promise<void> {
  const { client, page, site, take } = pictures;
  const { claim } = await client.addDevice({ id: DEVICE, class: 'gateway' });
  const out = join(temporaryFolder(t), DEVICE);
  const device = connect({ bundle: await enroll({ claim: claim.text, out }) });
  t.after(() => device.close());
  device.onCommand(async ({ name, ctr }) => {
    await device.publish({ of: ctr, running: true }, { topic: `ack/${name}` });
  });
  const { text } = await client.pairCode(DEVICE);
  await page.goto(`${site}/app#/pair/${encodeURIComponent(text)}`);
  await page.getByRole('button', { name: 'Pair', exact: true }).waitFor();
  await take('app-pair');
  await page.getByRole('button', { name: 'Pair', exact: true }).click();
  await page.getByRole('heading', { name: 'My devices' }).waitFor();
  for (let i = 0; i < READINGS; i += 1) {
    const pressure = Math.round((2 + Math.sin(i / 6) * 0.4) * 100) / 100;
    await device.publish({ pressure, running: i % 14 > 5 });
    await delay(READING_EVERY_MS);
  }
  await page.reload();
  await page.getByText('pressure').waitFor();
  await take('app-devices');
  await page.getByRole('link', { name: DEVICE }).click();
  await page.getByRole('img', { name: /^pressure, /u }).waitFor();
  await page.getByLabel('Command').fill('start');
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await page.getByText('acknowledged').waitFor();
  await page.getByRole('button', { name: 'Give it away…' }).click();
  await take('app-device');
  await page.getByRole('link', { name: 'Updates' }).click();
  await page.getByText('Nothing waits for you').waitFor();
  await take('app-updates');
  await page.getByRole('link', { name: 'Phones' }).click();
  await page.getByRole('button', { name: 'Show a code' }).click();
  await page.getByRole('img', { name: 'The code for another phone' }).waitFor();
  await take('app-phones');
}
