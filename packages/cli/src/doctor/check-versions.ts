/** Checks the program: its Node, its guards, and that client and server are of one version. @module */
import { type Finding, bad, good, warn } from './finding.ts';

const CHECK = 'versions';

const NODE_MAJOR_MIN = 26;
/** As the launcher gives them. */
const GUARDS = ['--disallow-code-generation-from-strings', '--disable-proto=throw'];

/** What runs. */
export interface VersionFacts {
  readonly node: string;
  readonly openssl: string;
  readonly guards: readonly string[];
  /** Of this command. */
  readonly own: string;
  /** Of the server that runs. */
  readonly running: string | undefined;
  /** Whether the pages of the console were built. */
  readonly hasConsole: boolean;
}

/** Looks at the versions. */
export function checkVersions(facts: VersionFacts): Finding[] {
  const { node, openssl, guards, own, running, hasConsole } = facts;
  const findings: Finding[] = [];
  if (Number(node.split('.', 1)[0]) < NODE_MAJOR_MIN) {
    findings.push(
      bad(CHECK, `This is Node ${node}.`, {
        why: `Holdfast is made for Node ${NODE_MAJOR_MIN} and newer.`,
        fix: `Run npm ci again, or install Node ${NODE_MAJOR_MIN}.`,
      }),
    );
  }
  const missing = GUARDS.filter((guard) => !guards.includes(guard));
  if (missing.length > 0) {
    findings.push(
      warn(CHECK, `Node runs without ${missing.join(' and ')}.`, {
        why: 'With these, no dependency can turn text into code.',
        fix: 'Start Holdfast by its own command, holdfast, not by its source files.',
      }),
    );
  }
  if (running !== undefined && running !== own) {
    findings.push(
      warn(CHECK, `The server that runs is ${running}, what is installed is ${own}.`, {
        why: 'It was updated while the server ran, or there are two installations.',
        fix: 'Start the server again.',
      }),
    );
  }
  if (!hasConsole) {
    findings.push(
      warn(CHECK, 'The pages of the console are not built.', {
        why: 'A browser is told so; devices, the API and the command line need none of it.',
        fix: 'Run npm run build, and start the server again.',
      }),
    );
  }
  if (findings.length > 0) return findings;
  return [good(CHECK, `Holdfast ${own}, Node ${node}, OpenSSL ${openssl}`)];
}
