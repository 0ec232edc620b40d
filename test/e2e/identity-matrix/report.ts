/** The table of what was tried: for the reader of a test run, and as a page of the reference. @module */
import type { Outcome } from './matrix.ts';

/** Tries with one mistake and one answer, at several doors. */
interface Row {
  readonly what: string;
  readonly code: string;
  readonly doors: string[];
  readonly seen: Set<string>;
}

const PAGE_HEAD = `# Identity: what is refused

Who tries what, at which door, under which code the operator finds it (\`holdfast refusals\`), and
what the peer sees. Each row is tried over real TLS by \`test/e2e/identity-matrix.test.ts\`, which
also writes this page (\`UPDATE_DOCS=1\`). Each one is counted once in \`holdfast_refusals_total\`
and stands with code, detail and address among the refusals; at each door all peers that are not
known get the same bytes. "Resumed" is a TLS session from a ticket, without certificate and key;
"the end" is a connection that is closed without a byte. A certificate request that asks for names
or extensions is not refused: it gets the certificate that the registry says, and what it asked for
beyond its key stands in the act \`device.enroll\`.

| what | doors | code | the peer sees |
|---|---|---|---|
`;

/** The page of the reference. */
export function pageOf(outcomes: readonly Outcome[]): string {
  const lines = rowsOf(outcomes).map(
    ({ what, doors, code, seen }) =>
      `| ${what} | ${doors.join(', ')} | \`${code}\` | ${[...seen].join('; ')} |\n`,
  );
  return PAGE_HEAD + lines.join('');
}

/** The same for a terminal. */
export function tableOf(outcomes: readonly Outcome[]): string {
  return rowsOf(outcomes)
    .map(({ what, doors, code, seen }) => {
      const cells = [what.padEnd(62), code.padEnd(30), [...seen].join('; ').padEnd(24)];
      return `${cells.join(' ')} ${doors.join(', ')}`;
    })
    .join('\n');
}

function rowsOf(outcomes: readonly Outcome[]): Row[] {
  const rows = new Map<string, Row>();
  for (const { what, door, isResumed, code, seen } of outcomes) {
    const name = isResumed ? `${what}, resumed` : what;
    const key = `${name} ${code}`;
    const row = rows.get(key) ?? { what: name, code, doors: [], seen: new Set() };
    rows.set(key, row);
    row.doors.push(door);
    row.seen.add(inWords(seen));
  }
  return [...rows.values()];
}

const CONNACK = '\u0020\u0002\0';

/** What a peer saw, in a few words. */
function inWords(seen: string): string {
  if (seen === '') return 'the end';
  if (seen.startsWith('ERR_SSL')) return 'a TLS alert';
  const status = /^HTTP\/1\.1 (\d{3})/u.exec(seen)?.[1];
  // A CONNACK of MQTT 3.1.1 ends with its return code; it comes last, also in a WebSocket.
  const isConnack = seen.slice(0, -1).endsWith(CONNACK);
  const refused = isConnack ? [`CONNACK ${seen.charCodeAt(seen.length - 1)}`] : [];
  return [...(status === undefined ? [] : [status]), ...refused].join(', ') || 'something else';
}
