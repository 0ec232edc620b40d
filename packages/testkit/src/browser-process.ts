/**
 * The process that drives Chromium. The tests run with the flags of the server, which forbid what
 * playwright does (it makes functions of texts), so it gets a process without them. Prints where it
 * listens, and ends with its standard input.
 * @module
 */
import { chromium } from 'playwright-core';

const server = await chromium.launchServer({
  executablePath: '/usr/bin/chromium',
  headless: true,
  // On a machine that is slow and busy.
  timeout: 120_000,
  args: process.argv.slice(2),
});
process.stdout.write(`${server.wsEndpoint()}\n`);
process.stdin.on('end', () => void server.close().then(() => process.exit())).resume();
