/** Debian's Chromium, driven by playwright-core. @module */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import type { Lifetime } from './holdfast.ts';
import { collect, waitFor } from './run.ts';

/** How long a page may take for what is waited for, on a machine that is slow and busy. */
export const PAGE_MS_MAX = 60_000;

const DRIVER = join(import.meta.dirname, 'browser-process.ts');

/** A browser with one page, gone after the test. */
export interface Browser {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What the page wrote to its console, or failed with: a broken rule of its CSP, for one. */
  readonly complaints: string[];
}

/** How the browser is to be. */
export interface BrowserOptions {
  /** SHA-256 of the public key of the server, base64: the one that the browser trusts. */
  readonly spkiPin: string;
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: 'light' | 'dark';
  /** Switches of Chromium besides, such as those for a camera that shows a file. */
  readonly switches?: readonly string[];
}

/** Starts a browser that trusts one server. */
export async function openBrowser(t: Lifetime, options: BrowserOptions): Promise<Browser> {
  const { spkiPin, width = 320, height = 640, colorScheme = 'light', switches = [] } = options;
  restoreProto();
  const { chromium } = await import('playwright-core');
  const browser = await chromium.connect(await startDriver(t, { spkiPin, switches }));
  t.after(() => browser.close());
  const context = await browser.newContext({ viewport: { width, height }, colorScheme });
  context.setDefaultTimeout(PAGE_MS_MAX);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  return { context, page, complaints };
}

/**
 * Resolves when the stream of the console is open. What happens between the first answer to a page
 * and this is told by no event.
 */
export async function untilLive(page: Page): Promise<void> {
  await page.getByRole('status').getByText('live', { exact: true }).first().waitFor();
}

/** Starts Chromium and its driver; gives where they listen. */
async function startDriver(
  t: Lifetime,
  { spkiPin, switches }: Required<Pick<BrowserOptions, 'spkiPin' | 'switches'>>,
): Promise<string> {
  // Root may not use the sandbox. The switch that ignores all errors of certificates would also
  // switch passkeys off; this one trusts one key.
  const trust = `--ignore-certificate-errors-spki-list=${spkiPin}`;
  const args = ['--no-sandbox', trust, ...switches];
  const child = spawn(process.execPath, [DRIVER, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  const output = collect(child);
  const ended = new Promise((resolve) => {
    child.on('close', resolve);
  });
  t.after(async () => {
    child.stdin.end();
    await ended;
  });
  return waitFor('Chromium (Debian: apt-get install chromium)', () => {
    if (child.exitCode !== null) throw new Error(`Chromium did not start: ${output.stderr}`);
    return /^(ws:\S+)\n/.exec(output.stdout)?.[1];
  });
}

/**
 * The tests run with `--disable-proto=throw`, as the server does, and playwright reads `__proto__`:
 * gives it back to this process. The server under test belongs into a process of its own.
 */
function restoreProto(): void {
  // oxlint-disable-next-line eslint/no-extend-native -- it is as it would be without the flag
  Object.defineProperty(Object.prototype, '__proto__', {
    configurable: true,
    get(this: unknown) {
      return Reflect.getPrototypeOf(new Object(this));
    },
    set(this: object, prototype: object | null) {
      if (typeof prototype === 'object') Reflect.setPrototypeOf(this, prototype);
    },
  });
}
