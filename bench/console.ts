/**
 * How smooth the console is with a large registry and much arriving, in Debian's Chromium:
 *
 *     node bench/console.ts --devices 100000 --rate 5000
 *
 * A person's minute: the overview, the list of devices searched and scrolled, a device with its live
 * readings, the refusals. Long tasks are those that keep the page from answering for 50 ms and more
 * (W3C Long Tasks); an interaction is slow from 200 ms on (Event Timing, INP).
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Client } from '@holdfast/client';
import { type Browser, openBrowser, signIn, startServer } from '@holdfast/testkit';

const COMMAND = join(import.meta.dirname, '../packages/cli/bin/holdfast.js');
const IMPORT_BATCH = 500;
const SIMULATED = 200;
const SCROLLS = 60;

interface Busy {
  readonly longTasks: number[];
  readonly interactions: number[];
}

const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '100000' },
    rate: { type: 'string', default: '5000' },
  },
});
const tasks: (() => Promise<void> | void)[] = [];
const life = { after: (task: () => Promise<void>): void => void tasks.unshift(task) };
const folder = mkdtempSync(join(tmpdir(), 'holdfast-console-'));
try {
  await measure();
} finally {
  for (const task of tasks) await task();
  rmSync(folder, { recursive: true, force: true });
}

async function measure(): Promise<void> {
  const server = await startServer(life, { dataDir: join(folder, 'data') });
  const client = server.client();
  await fill(client, Number(values.devices));
  life.after(simulate(server.dataDir));
  await waitForRate(client, Number(values.rate) / 2);
  const { pins } = await client.server();
  const browser = await openBrowser(life, { spkiPin: pins.spki, width: 1_360, height: 900 });
  await browser.context.addInitScript(watchBusy);
  await signIn(browser, client);
  const site = `https://localhost:${server.ports.api}`;
  console.log(
    'page                      shown ms  long tasks  worst ms  slow acts  worst ms  heap MB',
  );
  await look(browser, 'overview, 20 s', async ({ page }) => {
    await page.goto(`${site}/`);
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await delay(20_000);
  });
  await look(browser, 'devices: search and scroll', async ({ page }) => {
    await page.goto(`${site}/devices`);
    await page.getByRole('heading', { name: 'Devices' }).waitFor();
    await page.getByRole('searchbox').first().pressSequentially('meter-04', { delay: 80 });
    await delay(1_000);
    await page.getByRole('searchbox').first().clear();
    await delay(1_000);
    await page.mouse.move(700, 600);
    for (let at = 0; at < SCROLLS; at += 1) {
      await page.mouse.wheel(0, 900);
      await delay(100);
    }
  });
  await look(browser, 'a device, live, 20 s', async ({ page }) => {
    const [device] = await client.devices({ group: 'simulated' });
    await page.goto(`${site}/devices/${device?.id}/readings`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await delay(20_000);
  });
  await look(browser, 'refusals, 20 s', async ({ page }) => {
    await page.goto(`${site}/refusals`);
    await page.getByRole('heading', { name: 'Refusals' }).waitFor();
    await delay(20_000);
  });
  console.log(`complaints of the browser: ${JSON.stringify([...new Set(browser.complaints)])}`);
  client.close();
}

/** Starts the fleet that publishes. @returns what ends it. */
function simulate(dataDir: string): () => Promise<void> {
  const fleet = ['--devices', String(SIMULATED), '--readings-per-second', values.rate];
  const args = ['simulate', ...fleet, '--misbehave', '4', '--mixed', '--data', dataDir];
  const child = spawn(process.execPath, [COMMAND, ...args], {
    // Its keys go below the home of whoever runs it.
    env: { ...process.env, HOME: folder, XDG_STATE_HOME: folder },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(child, 'close');
  return async () => {
    child.kill('SIGKILL');
    await ended;
  };
}

async function fill(client: Client, count: number): Promise<void> {
  for (let at = 0; at < count; at += IMPORT_BATCH) {
    const devices = Array.from({ length: Math.min(IMPORT_BATCH, count - at) }, (_, place) => ({
      id: `meter-${String(at + place).padStart(6, '0')}`,
      class: 'sensor' as const,
      group: `site-${(at + place) % 40}`,
    }));
    await client.importDevices({ devices });
    if (at % 20_000 === 0) console.error(`${at + devices.length} devices`);
  }
}

async function waitForRate(client: Client, perSecond: number): Promise<void> {
  for (let tries = 0; tries < 120; tries += 1) {
    const { traffic } = await client.overview();
    if (traffic.acceptedPerS >= perSecond) {
      console.log(`${Math.round(traffic.acceptedPerS)} messages/s arrive`);
      return;
    }
    await delay(1_000);
  }
  console.log('the rate that was asked for was not reached');
}

/** Runs in the page, before anything of it. */
function watchBusy(): void {
  const busy: Busy = { longTasks: [], interactions: [] };
  Object.assign(globalThis, { busy });
  const into = (list: number[]) => (entries: { getEntries(): { duration: number }[] }) => {
    for (const { duration } of entries.getEntries()) list.push(duration);
  };
  const observe = (list: number[], options: object): void =>
    new PerformanceObserver(into(list)).observe(options);
  observe(busy.longTasks, { type: 'longtask', buffered: true });
  observe(busy.interactions, { type: 'event', durationThreshold: 16, buffered: true });
}

async function look(
  browser: Browser,
  name: string,
  act: (browser: Browser) => Promise<void>,
): Promise<void> {
  const { page, context } = browser;
  await act(browser);
  const { longTasks, interactions, shownMs } = await page.evaluate(() => {
    const { busy } = globalThis as unknown as { busy: Busy };
    const [paint] = performance.getEntriesByName('first-contentful-paint');
    return { ...busy, shownMs: paint?.startTime ?? 0 };
  });
  const tools = await context.newCDPSession(page);
  await tools.send('HeapProfiler.collectGarbage');
  await tools.send('Performance.enable');
  const { metrics } = await tools.send('Performance.getMetrics');
  const heap = metrics.find((metric) => metric.name === 'JSHeapUsedSize')?.value ?? 0;
  await tools.detach();
  const slow = interactions.filter((ms) => ms >= 200);
  const cells = [
    shownMs.toFixed(0),
    String(longTasks.length),
    Math.max(0, ...longTasks).toFixed(0),
    String(slow.length),
    Math.max(0, ...interactions).toFixed(0),
    (heap / 1e6).toFixed(1),
  ];
  console.log(name.padEnd(26) + cells.map((cell) => cell.padStart(9)).join(' '));
}
