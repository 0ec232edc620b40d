/** Checks each listener of a running server as a device or a browser sees it. @module */
import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { localTime, spanText } from '../local-time.ts';
import { printable } from '../printable.ts';
import { type Finding, bad, good, unknown, warn } from './finding.ts';
import { type Endpoint, type Shown, lookAt, takesOldTls, takesPlaintext } from './tls-probe.ts';

const CHECK = 'TLS';

/** The server renews its certificate long before: after two thirds of 397 days. */
const ENDS_SOON_MS = 30 * 86_400_000;

/** A listener as the server names it. */
export interface ListenerFacts {
  /** Such as `broker`. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** True when the system says that the server itself, and nothing else here, accepts there. */
  readonly isOfServer: boolean;
}

/** What it has to show. */
export interface TlsExpectation {
  readonly anchorPem: string;
  readonly pins: { readonly certificate: string; readonly spki: string };
  readonly nowMs: number;
  readonly timeZone: string;
}

/**
 * Connects to one listener as a device does. When something may stand in between, it tries also what
 * must be refused; the server itself refuses that, and would only put it on the record.
 */
export async function checkTls(
  listener: ListenerFacts,
  expected: TlsExpectation,
): Promise<Finding[]> {
  const { name, host, port } = listener;
  const byName = { address: host, port, host };
  let endpoint: Endpoint = byName;
  let shown = await lookAt(endpoint, expected.anchorPem);
  const findings: Finding[] = [];
  if ('unseen' in shown && host !== HERE) {
    findings.push(notByName(listener, shown.unseen));
    endpoint = { ...byName, address: HERE };
    shown = await lookAt(endpoint, expected.anchorPem);
  }
  if ('unseen' in shown) return [...findings, silent(listener, shown.unseen)];
  const problems = [
    ...findings,
    ...(await checkRefusing(listener, { shown, endpoint })),
    ...(await checkCertificate(listener, { shown, endpoint, expected })),
  ];
  if (problems.length > 0) return problems;
  const ends = localTime(shown.leaf.validToDate.toISOString(), expected.timeZone).slice(0, 10);
  return [good(CHECK, `${name}: TLS 1.3 only, the pinned certificate, for ${host}, until ${ends}`)];
}

function notByName({ name, host, port }: ListenerFacts, why: string): Finding {
  return warn(CHECK, `The ${name} cannot be reached at ${host}:${port} from this machine.`, {
    why: `${printable(why)}. Devices are told this address; it may work from where they are.`,
    fix: 'Check it from there: holdfast pin --server HOST:PORT; see DNS, firewall, router.',
  });
}

function silent({ name, port }: ListenerFacts, why: string): Finding {
  return bad(CHECK, `The ${name} does not answer on port ${port}.`, {
    why: `${printable(why)}. The server says that it listens there.`,
    fix: 'Look at the log of the server, and start it again.',
  });
}

async function checkRefusing(
  { name, isOfServer }: ListenerFacts,
  { shown, endpoint }: { shown: Shown; endpoint: Endpoint },
): Promise<Finding[]> {
  if (isOfServer && shown.isHere) return checkProtocol(name, shown, false);
  return [
    ...checkProtocol(name, shown, await takesOldTls(endpoint)),
    ...checkPlain(name, await takesPlaintext(endpoint)),
  ];
}

function checkProtocol(
  name: string,
  { protocol }: Shown,
  takesOld: boolean | undefined,
): Finding[] {
  if (protocol !== 'TLSv1.3' || takesOld === true) {
    return [
      bad(CHECK, `What answers at the ${name} speaks an older TLS than 1.3.`, {
        why: 'Holdfast does not: something else ends the TLS in its place, and reads along.',
        fix: 'Let the proxy pass TCP through instead of ending TLS (HAProxy: mode tcp).',
      }),
    ];
  }
  if (takesOld === false) return [];
  return [
    unknown(CHECK, `Whether the ${name} refuses TLS 1.2 could not be seen.`, {
      why: 'It gave no answer in time.',
      fix: 'Run this again when the server has less to do.',
    }),
  ];
}

function checkPlain(name: string, takesPlain: boolean | undefined): Finding[] {
  if (takesPlain !== true) return [];
  return [
    bad(CHECK, `What answers at the ${name} also speaks without encryption.`, {
      why: 'Holdfast does not: something else stands in its place.',
      fix: 'Find out what listens on this port, and stop it.',
    }),
  ];
}

async function checkCertificate(
  listener: ListenerFacts,
  { shown, endpoint, expected }: { shown: Shown; endpoint: Endpoint; expected: TlsExpectation },
): Promise<Finding[]> {
  const { name, host } = listener;
  const { leaf, chainProblem } = shown;
  const findings = checkTimes(name, leaf, expected);
  const isNamed = isIP(host) === 0 ? leaf.checkHost(host) : leaf.checkIP(host);
  if (isNamed === undefined) {
    findings.push(
      bad(CHECK, `The certificate of the ${name} is not for ${host}.`, {
        why: 'Every client that checks the name ends the connection.',
        fix: `Start the server with --host ${host}.`,
      }),
    );
  }
  if (isPinned(leaf, expected)) {
    // A certificate that has ended has no chain that holds; that it has ended is said above.
    if (chainProblem === undefined || findings.length > 0) return findings;
    return [...findings, brokenChain(name, chainProblem)];
  }
  // The public name has a certificate of an authority that browsers know.
  const open = await lookAt(endpoint, undefined);
  if (!('unseen' in open) && open.chainProblem === undefined) return findings;
  return [
    ...findings,
    bad(CHECK, `The ${name} shows a certificate that is not the one of this server.`, {
      why: 'Something else answers there: a proxy that ends TLS, another program, or somebody in between.',
      fix: 'Compare holdfast pin with holdfast pin --server HOST:PORT, and find out who listens.',
    }),
  ];
}

function checkTimes(
  name: string,
  { validFromDate, validToDate }: Shown['leaf'],
  { nowMs }: TlsExpectation,
): Finding[] {
  const leftMs = validToDate.getTime() - nowMs;
  if (validFromDate.getTime() > nowMs) {
    return [
      bad(CHECK, `The certificate of the ${name} does not count yet.`, {
        why: 'It was made while the clock was ahead, or the clock is behind now.',
        fix: 'Set the clock of this machine.',
      }),
    ];
  }
  const fix = 'Look at the log of the server for why it was not renewed, and start it again.';
  if (leftMs <= 0) {
    const why = 'No device that checks the certificate connects any more.';
    return [bad(CHECK, `The certificate of the ${name} has ended.`, { why, fix })];
  }
  if (leftMs >= ENDS_SOON_MS) return [];
  const why = 'The server renews it by itself, long before that: something keeps it from it.';
  return [warn(CHECK, `The certificate of the ${name} ends in ${spanText(leftMs)}.`, { why, fix })];
}

function brokenChain(name: string, problem: string): Finding {
  return bad(
    CHECK,
    `The certificates of the ${name} do not lead to the authority of this server.`,
    {
      why: `${printable(problem)}. Devices that check the chain end the connection.`,
      fix: 'Start the server again; if that changes nothing, see holdfast ca status.',
    },
  );
}

function isPinned({ raw, publicKey }: Shown['leaf'], { pins }: TlsExpectation): boolean {
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes);
  return (
    sha256(raw).digest('hex') === pins.certificate && sha256(spki).digest('base64') === pins.spki
  );
}

const HERE = 'localhost';
