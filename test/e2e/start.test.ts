/** Starting, failing to start, and signing in: what a person at the terminal meets. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { type TlsOptions, createServer } from 'node:tls';
import { type Run, holdfast, run, startServer, temporaryFolder, waitFor } from '@holdfast/testkit';

const FREE = { '--broker-port': '0', '--api-port': '0', '--enroll-port': '0' };

/** Runs `up` where it must fail. */
function failingUp(dataDir: string, options: Record<string, string> = {}): Promise<Run> {
  const args = Object.entries({ ...FREE, ...options }).flat();
  return holdfast(['up', '--data', dataDir, ...args]);
}

/** A port that something else holds. */
async function takenPort(t: { after: (task: () => void) => void }): Promise<string> {
  const options: TlsOptions = {};
  const server = createServer(options);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return String(address.port);
}

test('a taken port is named, with the option that changes it', async (t) => {
  const port = await takenPort(t);
  const dataDir = join(temporaryFolder(t), 'data');
  for (const option of ['--broker-port', '--api-port', '--enroll-port']) {
    const { code, stderr } = await failingUp(dataDir, { [option]: port });
    assert.equal(code, 1, stderr);
    assert.match(stderr, new RegExp(`Port ${port} .*in use`));
    assert.ok(stderr.includes(option), stderr);
    assert.ok(!readdirSync(dataDir).includes('cli.json'));
  }
  const server = await startServer(t, { dataDir });
  assert.equal((await server.stop()).code, 0);
});

type Breakage = [name: string, code: string, breakIt: (dataDir: string) => void];

const BROKEN: Breakage[] = [
  [
    'the unseal key is gone',
    'E_CRYPTO_UNSEAL_MISSING',
    (data) => renameSync(join(data, 'unseal.key'), join(data, 'x')),
  ],
  [
    'others can read the unseal key',
    'E_CRYPTO_UNSEAL_MODE',
    (data) => chmodSync(join(data, 'unseal.key'), 0o644),
  ],
  [
    'the unseal key is damaged',
    'E_CRYPTO_UNSEAL_FORM',
    (data) => writeFileSync(join(data, 'unseal.key'), 'x\n'),
  ],
  [
    'the unseal key is another one',
    'E_CRYPTO_OPEN',
    (data) => writeFileSync(join(data, 'unseal.key'), `${'a'.repeat(64)}\n`),
  ],
  [
    'the public key of the log was changed',
    'E_MAIN_VERIFIER_KEY',
    (data) => writeFileSync(join(data, 'log.pub'), 'x+y+z\n'),
  ],
  ...['registry.db', 'log.db', 'broker.db'].map((name): Breakage => [
    `${name} is of another version of Holdfast`,
    'E_PERSISTENCE_VERSION',
    (data) => {
      const database = new DatabaseSync(join(data, name));
      database.exec('PRAGMA user_version = 99');
      database.close();
    },
  ]),
];

test('a broken data folder stops the start, and says how to mend it', async (t) => {
  const folder = temporaryFolder(t);
  const whole = join(folder, 'whole');
  const server = await startServer(t, { dataDir: whole });
  await server.stop();
  for (const [at, [name, code, breakIt]] of BROKEN.entries()) {
    const dataDir = join(folder, `broken-${at}`);
    cpSync(whole, dataDir, { recursive: true });
    breakIt(dataDir);
    const failed = await failingUp(dataDir);
    assert.equal(failed.code, 1, `${name}: ${failed.stdout}${failed.stderr}`);
    assert.match(failed.stderr, new RegExp(code), name);
    assert.match(failed.stderr, /fix /, name);
    assert.doesNotMatch(failed.stderr, /\bat .*\.ts:\d+/, `${name}: no stack trace`);
  }
});

test('a folder that is none, or that another server uses, is refused', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'file'), '');
  const none = await failingUp(join(folder, 'file'));
  assert.equal(none.code, 1);
  assert.match(none.stderr, /E_MAIN_DATA_FOLDER/);
  const dataDir = join(folder, 'data');
  const server = await startServer(t, { dataDir });
  const second = await failingUp(dataDir);
  assert.equal(second.code, 1);
  assert.match(second.stderr, /E_PERSISTENCE_IN_USE/);
  assert.equal((await server.cli(['status'])).code, 0, 'the first one goes on');
});

test('an unknown option is refused with a hint', async () => {
  const { code, stderr } = await holdfast(['up', '--prot', '1']);
  assert.equal(code, 2);
  assert.match(stderr, /--help/);
});

test('the first operator signs in with the one-time code, once, from any folder', async (t) => {
  const folder = temporaryFolder(t);
  const dataDir = join(folder, 'data');
  const home = join(folder, 'home');
  mkdirSync(home);
  const env = { ...process.env, HOME: home, XDG_CONFIG_HOME: undefined, HOLDFAST_DATA: undefined };
  const server = await startServer(t, { dataDir });
  const code = /one-time code is ([^:\s]+)/.exec(server.output.stderr)?.[1] ?? '';
  assert.match(code, /^([0-9A-Z]{4}-)+[0-9A-Z]{4}$/);
  const login = (oneTime: string, password: string): Promise<Run> => {
    const args = ['login', '--data', dataDir, '--name', 'ada', '--password-stdin', '--first'];
    return holdfast(args, { env, input: `${password}\n${oneTime}\n` });
  };
  const password = 'correct horse battery';
  assert.notEqual((await login('AAAA-BBBB-CCCC-DDDD', password)).code, 0, 'a wrong code');
  assert.notEqual((await login(code, 'short')).code, 0, 'a short password');
  const signedIn = await login(code, password);
  assert.equal(signedIn.code, 0, signedIn.stderr);
  assert.notEqual((await login(code, password)).code, 0, 'the code is void');

  const credentials = join(home, '.config/holdfast/credentials.json');
  assert.equal(statSync(credentials).mode & 0o777, 0o600);
  assert.ok(!readFileSync(credentials, 'utf8').includes(password));
  const elsewhere = await holdfast(['device', 'add', 'lamp-1', '--class', 'actuator'], {
    env,
    cwd: home,
  });
  assert.equal(elsewhere.code, 0, elsewhere.stderr);
  const acts = await server.cli(['audit', 'acts', '--json']);
  assert.match(acts.stdout, /"action":"device.add","principal":"person:ada"/);
  await server.stop();
  const second = await startServer(t, { dataDir });
  assert.ok(!second.output.stderr.includes('one-time code'), second.output.stderr);
  for (const secret of [password, code]) {
    assert.ok(!server.output.stdout.includes(secret), 'no secret in the log');
    assert.ok(!second.output.stdout.includes(secret), 'no secret in the log');
  }
});

test('a server for other machines listens on all interfaces, under its own name', async (t) => {
  const folder = temporaryFolder(t);
  const dataDir = join(folder, 'data');
  const server = await startServer(t, { dataDir, args: ['--host', 'iot.example.test'] });
  assert.match(server.output.stderr, /mqtts:\/\/iot\.example\.test:/);
  const access = JSON.parse(readFileSync(join(dataDir, 'cli.json'), 'utf8')) as {
    anchorPem: string;
  };
  const anchor = join(folder, 'ca.crt');
  writeFileSync(anchor, access.anchorPem);
  for (const name of ['iot.example.test', 'localhost']) {
    const where = [
      '-connect',
      `127.0.0.1:${server.ports.api}`,
      '-CAfile',
      anchor,
      '-verify_return_error',
    ];
    const tls = await run('openssl', ['s_client', ...where, '-verify_hostname', name]);
    assert.match(tls.stdout, /Verification: OK/, `${name}: ${tls.stderr}`);
  }
  const wrong = [
    '-connect',
    `127.0.0.1:${server.ports.api}`,
    '-CAfile',
    anchor,
    '-verify_return_error',
  ];
  const tls = await run('openssl', [
    's_client',
    ...wrong,
    '-verify_hostname',
    'other.example.test',
  ]);
  assert.doesNotMatch(tls.stdout, /Verification: OK/);
});

test('pins survive a restart, also under another name', async (t) => {
  const dataDir = join(temporaryFolder(t), 'data');
  const pins = async (args: readonly string[]): Promise<string[]> => {
    const server = await startServer(t, { dataDir, args });
    const shown = await server.cli(['pin']);
    await server.stop('SIGINT');
    return shown.stdout.trim().split('\n');
  };
  const first = await pins([]);
  assert.deepEqual(await pins([]), first);
  const renamed = await pins(['--host', 'iot.example.test']);
  assert.equal(renamed[0], first[0], 'the key stays');
  assert.notEqual(renamed[1], first[1], 'the certificate is a new one');
});

test('nothing secret stands in the command line of the server, and a second signal ends it', async (t) => {
  const dataDir = join(temporaryFolder(t), 'data');
  const server = await startServer(t, { dataDir });
  const line = readFileSync(`/proc/${server.pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  assert.doesNotMatch(line, /[0-9a-f]{32}|hf_|BEGIN/);
  assert.match(line, /--disallow-code-generation-from-strings/);
  const ended = server.stop('SIGTERM');
  await waitFor('the end', async () => (await ended).code === 0);
});
