/** Which server a person logs in to, and how it is known to be that one. @module */
import { parsePin, pinnedAnchor } from '@holdfast/client';
import { localAccessPath, readAccess, readLogin } from '../access.ts';
import { EXIT, Failure, usageFailure } from '../failure.ts';
import { readText } from '../text-source.ts';
import type { World } from '../world.ts';

/** What was said about the server. */
export interface TrustOptions {
  readonly server?: string | undefined;
  readonly ca?: string | undefined;
  readonly pin?: string | undefined;
  readonly data?: string | undefined;
}

/**
 * Address and trust anchor of the server. The anchor comes from a file, a pin, the data folder on
 * this machine, or an earlier login at the same address; never from the server unasked.
 * @throws Failure `E_CLI_TRUST`, `E_CLI_NO_SERVER`, `E_CLI_CREDENTIALS`, `E_CLI_USAGE`,
 * `E_CLI_FILE`; ApiError of a pin.
 */
export async function serverToTrust(
  world: World,
  { server, ca, pin, data }: TrustOptions,
): Promise<{ url: string; anchorPem: string }> {
  const local = readAccess(localAccessPath(world, data));
  const known = local ?? readLogin(world);
  const url = server === undefined ? known?.url : readUrl(server);
  if (url === undefined) {
    throw new Failure('E_CLI_NO_SERVER', {
      what: 'There is no server to log in to.',
      why: `${localAccessPath(world, data)} does not exist: no server runs on that folder.`,
      fix: 'Start one here with holdfast up, or name another with --server URL.',
      exitCode: EXIT.unreachable,
    });
  }
  if (ca !== undefined) return { url, anchorPem: readText(ca) };
  if (pin !== undefined) return { url, anchorPem: await pinnedAnchor(url, readPin(pin)) };
  const isKnown = local !== undefined || known?.url === url;
  if (known !== undefined && isKnown) return { url, anchorPem: known.anchorPem };
  throw new Failure('E_CLI_TRUST', {
    what: `Nothing says yet how to know ${url} from an impostor.`,
    why: 'A first contact that trusts whoever answers would give your password to them.',
    fix: 'Run holdfast pin on the server, and give its first line here with --pin; or give --ca.',
  });
}

function readUrl(text: string): string {
  const url = URL.parse(text);
  const isBare = url?.pathname === '/' && url.search === '' && url.username === '';
  if (url?.protocol === 'https:' && isBare) return url.origin;
  throw usageFailure(
    `"${text}" is no address of an API.`,
    'Give it as https://host:port, such as https://iot.example.com:8443.',
  );
}

function readPin(text: string) {
  const pin = parsePin(text);
  if (pin !== undefined) return pin;
  throw usageFailure(
    'The pin is in neither of the two forms.',
    'Copy a whole line of what holdfast pin prints on the server.',
  );
}
