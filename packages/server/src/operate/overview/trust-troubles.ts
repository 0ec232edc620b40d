/** Troubles of what can be proven: the audit log, its witnesses, keys, and signed metadata. @module */
import type { Trouble } from '@holdfast/protocol/api';
import { VERIFICATION_LATE_MS } from '../limits.ts';
import { counted, spanText, whenText } from './trouble-text.ts';
import type { TroubleFacts } from './troubles.ts';

/** Looks at what is there to prove things. */
export function* trustTroubles(facts: TroubleFacts): Generator<Trouble> {
  yield* logTroubles(facts);
  yield* metadataTroubles(facts);
  if (facts.keys?.isRecoverable === false) {
    yield {
      severity: 'advice',
      code: 'keys-not-recoverable',
      title: 'Nobody but this server can open its data',
      why: 'Whoever loses the key beside the data loses all of it, backups too.',
      fix: 'Make recovery shares and give them to several people.',
      href: '/settings',
      command: 'holdfast keys escrow',
    };
  }
}

function* logTroubles({ log, nowMs, logSinceMs }: TroubleFacts): Generator<Trouble> {
  if (log === undefined) return;
  const about = { href: '/audit', command: 'holdfast audit verify' };
  if (log.isBehind) {
    yield {
      severity: 'critical',
      code: 'log-behind-witness',
      title: 'A witness has seen an audit log that this one is not',
      why: 'The log was set back to an older copy, or rewritten.',
      fix: 'Keep the data folder as evidence, and compare it with backups: holdfast audit verify --against.',
      href: '/audit',
    };
  }
  const { lastVerification: last } = log;
  if (last !== undefined && !last.ok && last.findings > 0) {
    yield {
      severity: 'critical',
      code: 'log-not-good',
      title: `The audit log is not as it was written: ${counted(last.findings, 'finding')}`,
      why: 'Entries were changed, are missing, or cannot be read.',
      fix: 'Keep the data folder as evidence, look at the findings, and compare it with backups.',
      ...about,
    };
  } else if (last !== undefined && !last.ok) {
    yield {
      severity: 'warning',
      code: 'log-verification-failed',
      title: 'The last verification of the audit log came to no end',
      why: last.why ?? 'The log could not be read.',
      fix: 'Verify it again; if it fails again, look at the log of the server.',
      ...about,
    };
  }
  const lastMs = last === undefined ? logSinceMs : Date.parse(last.at);
  if (nowMs - lastMs >= VERIFICATION_LATE_MS) {
    yield {
      severity: 'warning',
      code: 'log-not-verified',
      title:
        last === undefined
          ? 'The audit log was never verified'
          : `The audit log was verified ${spanText(nowMs - lastMs)} ago`,
      why: 'A change of the log shows when somebody looks, and not before.',
      fix: 'Verify it now, and once a week.',
      ...about,
    };
  }
  if (log.witnesses === 0) {
    yield {
      severity: 'advice',
      code: 'witnesses-none',
      title: 'No witness watches the audit log from outside',
      why: 'Who holds the whole machine can set the log back, and nothing here would show it.',
      fix: 'Run a witness on another machine: see the guide on witnesses.',
      href: '/audit',
      command: 'holdfast audit witness --help',
    };
  }
}

function* metadataTroubles({ metadata, nowMs }: TroubleFacts): Generator<Trouble> {
  const [first] = metadata.toSorted((a, b) => a.expiresMs - b.expiresMs);
  if (first === undefined) return;
  const { repository, role, expiresMs } = first;
  const hasEnded = expiresMs < nowMs;
  yield {
    severity: hasEnded ? 'critical' : 'warning',
    code: 'metadata-ending',
    title: `Signed update metadata ${hasEnded ? 'ended' : 'ends'} ${whenText(expiresMs, nowMs)}: ${repository} ${role}`,
    why: 'Devices take no update by metadata that has ended.',
    fix: 'Let those who have the keys sign it again.',
    href: '/firmware',
    command: 'holdfast fw status',
  };
}
