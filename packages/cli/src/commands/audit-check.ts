/** `audit check`: what a bundle of evidence proves, and what it does not. @module */
import { type EvidenceVerdict, checkEvidence } from '@holdfast/protocol';
import { type Evidence, EvidenceSchema } from '@holdfast/protocol/api';
import { defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { evidenceTools } from '../evidence-tools.ts';
import { Failure } from '../failure.ts';
import { localTime } from '../local-time.ts';
import { paintFor } from '../paint.ts';
import { jsonLine, printable } from '../printable.ts';
import { table } from '../table.ts';
import { readText, textFrom } from '../text-source.ts';
import type { World } from '../world.ts';

/** Checks a bundle, without any server. */
export const auditCheck: Command = defineCommand(
  {
    path: 'audit check',
    summary: 'check the evidence of a reading; needs no server',
    details:
      'Give --key from your own records: without it, the bundle vouches for itself.\n' +
      'With --witness, the cosignature of that witness must be there and valid.',
    arguments: ['file'],
    options: {
      key: { type: 'string', value: 'KEY', help: 'verifier key of the log, or @FILE' },
      witness: {
        type: 'string',
        multiple: true,
        value: 'KEY',
        help: 'key of a witness, or @FILE',
      },
      json: JSON_OPTION,
    },
    examples: ['audit check evidence.json --key @log.pub --witness @witness.pub'],
  },
  async (world, { values, positionals: [file = ''] }) => {
    const evidence = readBundle(file);
    const isKeyGiven = values.key !== undefined;
    const log = isKeyGiven ? await textFrom(values.key ?? '', world) : evidence.verifierKey;
    const witnesses: string[] = [];
    for (const key of values.witness ?? []) witnesses.push(await textFrom(key, world));
    const verdict = checkEvidence(evidence, evidenceTools({ log, witnesses }));
    const words = wordsOf(verdict, { evidence, isKeyGiven });
    const ok = verdict.problems.length === 0;
    const { stdout } = world;
    if (values.json === true) stdout.write(jsonLine(jsonOf(verdict, { ok, words, isKeyGiven })));
    else stdout.write(textOf(verdict, { ok, words, world }));
    if (ok) return;
    throw new Failure('E_AUDIT_EVIDENCE', {
      what: `${file} proves nothing.`,
      why: `${verdict.problems[0]}.`,
      fix: 'Ask for the evidence again; when it stays so, do not believe it.',
    });
  },
);

function readBundle(path: string): Evidence {
  let content: unknown;
  try {
    content = JSON.parse(readText(path));
  } catch (error) {
    if (error instanceof Failure) throw error;
  }
  const parsed = EvidenceSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  throw new Failure('E_AUDIT_EVIDENCE', {
    what: `${path} is no bundle of evidence.`,
    why: parsed.error.issues[0]?.message,
    fix: 'Give a file that holdfast audit prove wrote.',
  });
}

interface Words {
  readonly proven: readonly string[];
  readonly notProven: readonly string[];
}

function wordsOf(
  { reading, acts, certificate, witnesses, problems }: EvidenceVerdict,
  { evidence, isKeyGiven }: { evidence: Evidence; isKeyGiven: boolean },
): Words {
  if (reading === undefined || problems.length > 0) return { proven: [], notProven: [] };
  const proven = [
    `The log has this reading of ${reading.device}, byte for byte, as entry ${reading.index}.`,
    'Whoever holds the key of the log says so: the server verified the signature of the payload then, and took it in at the time above, by its clock.',
    `The log has the ${acts.length} acts about the device that the bundle shows.`,
  ];
  if (certificate !== undefined) {
    proven.push(
      'The device used the certificate above then; it is of this device, was valid, and ends in the root of the bundle.',
    );
  }
  for (const { name, timeS } of witnesses) {
    const time = new Date(timeS * 1_000).toISOString();
    proven.push(`Witness ${name} saw this log at ${time}; nobody can rewrite it unseen since.`);
  }
  const notProven = [
    `The signature in the payload (HMAC, key ${reading.kid}) itself: only who has the key of the device can check it.`,
    'That no other act about the device was left out: that needs the whole log (holdfast audit verify).',
  ];
  if (!isKeyGiven) notProven.unshift('Whose log it is: the key came from the bundle; give --key.');
  if (witnesses.length === 0) {
    notProven.push(
      'That the log was not rewritten by who holds the server: no witness was asked for (--witness).',
    );
  }
  if (certificate === undefined) {
    notProven.push('Which certificate the device used: the bundle has none.');
  }
  if (evidence.actsLeftOut) notProven.push('What older acts say that the bundle has no room for.');
  return { proven, notProven };
}

function jsonOf(
  { problems, checkpoint, reading, acts, certificate, witnesses }: EvidenceVerdict,
  { ok, words, isKeyGiven }: { ok: boolean; words: Words; isKeyGiven: boolean },
): object {
  return {
    ok,
    problems,
    isKeyGiven,
    size: checkpoint?.size,
    reading: reading && { ...reading, payload: Buffer.from(reading.payload).toString('utf8') },
    acts,
    certificate,
    witnesses,
    ...words,
  };
}

function textOf(
  { problems, checkpoint, reading, acts, certificate }: EvidenceVerdict,
  { ok, words, world }: { ok: boolean; words: Words; world: World },
): string {
  const paint = paintFor(world.stdout);
  const list = (title: string, mark: string, lines: readonly string[]): string =>
    lines.length === 0
      ? ''
      : `\n${title}\n${lines.map((line) => `  ${mark} ${printable(line)}\n`).join('')}`;
  if (!ok || reading === undefined) {
    return `${paint.bad('✗ The evidence is not valid.')}\n${list('Wrong', '✗', problems)}`;
  }
  const time = (ms: number): string => localTime(new Date(ms).toISOString(), world.timeZone);
  const rows: [string, string][] = [
    ['device', printable(reading.device)],
    ['time', time(reading.atMs)],
    ['topic', printable(reading.topic)],
    ['payload', printable(Buffer.from(reading.payload).toString('utf8'))],
    ['entry', `${reading.index} of ${checkpoint?.size ?? 0}`],
    ...(certificate === undefined ? [] : [['certificate', certificate] satisfies [string, string]]),
  ];
  const actLines = acts.map(({ index, atMs, action, principal }) =>
    [`entry ${index}`, time(atMs), action, `by ${principal}`].join('  '),
  );
  return [
    `${paint.good('✓ The evidence is valid.')}\n\n${table(rows, 2)}`,
    list('Acts before it', '·', actLines),
    list('Proven', '✓', words.proven),
    list('Not proven', '–', words.notProven),
  ].join('');
}
