/** Troubles of the server itself: its disk, its certificates, its backups. @module */
import type { Trouble } from '@holdfast/protocol/api';
import { UNNEEDED_BYTES_ALARM } from '../../update/index.ts';
import { BACKUP_LATE_FACTOR, CERTIFICATE_ALARM_MS, DISK_LOW_RESERVES } from '../limits.ts';
import { bytesText, counted, spanText, whenText } from './trouble-text.ts';
import type { TroubleFacts } from './troubles.ts';

/** Looks at the server. */
export function* serverTroubles(facts: TroubleFacts): Generator<Trouble> {
  yield* diskTroubles(facts);
  yield* artifactTroubles(facts);
  yield* certificateTroubles(facts);
  yield* backupTroubles(facts);
}

function* diskTroubles({ disk, isReady }: TroubleFacts): Generator<Trouble> {
  const about = { href: '/settings', command: 'holdfast doctor' };
  const { condition, freeBytes, reserveBytes } = disk ?? { condition: 'good', reserveBytes: 0 };
  if (condition === 'full') {
    yield {
      severity: 'critical',
      code: 'disk-full',
      title: 'The disk is full: no messages are taken',
      why: `Less than the reserve of ${bytesText(reserveBytes)} is free. Devices keep what they measure and send it later, those without storage lose it.`,
      fix: 'Free space on the disk of the data folder, or let classes keep less. It goes on by itself.',
      ...about,
    };
  } else if (condition === 'failing' || !isReady) {
    yield {
      severity: 'critical',
      code: 'disk-failing',
      title: 'Nothing can be stored: the disk refuses what is written',
      why: 'Messages are not acknowledged meanwhile, so that devices send them again.',
      fix: 'Look at the log of the server and of the machine: a broken or full disk, or one that was mounted to be read only.',
      ...about,
    };
  } else if (condition === 'slow') {
    yield {
      severity: 'warning',
      code: 'disk-slow',
      title: 'The disk is slow: writing takes seconds',
      why: 'Every message waits for the disk before it is acknowledged.',
      fix: 'See what else writes to this disk, or move the data folder to a faster one.',
      ...about,
    };
  } else if (freeBytes !== undefined && freeBytes < reserveBytes * DISK_LOW_RESERVES) {
    yield {
      severity: 'warning',
      code: 'disk-low',
      title: `The disk is nearly full: ${bytesText(freeBytes)} are free`,
      why: `Below ${bytesText(reserveBytes)} no messages are taken any more.`,
      fix: 'Make room on the disk of the data folder, or let classes keep less.',
      ...about,
    };
  }
}

function* artifactTroubles({ unneeded }: TroubleFacts): Generator<Trouble> {
  const { count, bytes } = unneeded ?? { count: 0, bytes: 0 };
  if (bytes < UNNEEDED_BYTES_ALARM) return;
  yield {
    severity: 'advice',
    code: 'artifacts-unneeded',
    title: `${bytesText(bytes)} of firmware are stored that nothing needs`,
    why: `${counted(count, 'artifact')} of releases that were taken back, or of uploads that no release names, fill the disk or the bucket, and backups.`,
    fix: 'Look at what would go, and remove it.',
    href: '/firmware',
    command: 'holdfast fw artifact remove --unneeded --dry-run',
  };
}

function* certificateTroubles(facts: TroubleFacts): Generator<Trouble> {
  const { nowMs, serverCertificate, publicName } = facts;
  const endsMs = Date.parse(serverCertificate.endsAt);
  if (endsMs < nowMs + CERTIFICATE_ALARM_MS) {
    yield {
      severity: endsMs < nowMs ? 'critical' : 'warning',
      code: 'server-certificate-ending',
      title: `The certificate of this server ${endsMs < nowMs ? 'ended' : 'ends'} ${whenText(endsMs, nowMs)}`,
      why: 'Devices and people refuse a server whose certificate has ended. It should have been renewed by itself.',
      fix: 'Look at the log of the server for "upkeep failed", then start the server again.',
      href: '/settings',
    };
  }
  const publicMs = publicName?.endsMs ?? 0;
  if (publicName !== undefined && publicMs === 0) {
    yield {
      severity: 'warning',
      code: 'public-certificate-missing',
      title: 'The public name has no certificate yet',
      why: 'Browsers show a warning, so people get used to clicking warnings away.',
      fix: 'Port 443 of the public name must lead from outside to this server. It is tried again by itself.',
      href: '/settings',
    };
  } else if (publicName?.isLate === true) {
    yield {
      severity: publicMs < nowMs ? 'critical' : 'warning',
      code: 'public-certificate-ending',
      title: `The certificate of the public name ${publicMs < nowMs ? 'ended' : 'ends'} ${whenText(publicMs, nowMs)}`,
      why: 'Its renewal has failed so far. Browsers refuse a certificate that has ended.',
      fix: 'Port 443 of the public name must lead from outside to this server; the log says what failed.',
      href: '/settings',
    };
  }
  if (facts.authorityEndsMs >= nowMs + AUTHORITY_ALARM_MS) return;
  const { authorityEndsMs } = facts;
  yield {
    severity: authorityEndsMs < nowMs ? 'critical' : 'warning',
    code: 'authority-ending',
    title: `The certificate authority ${authorityEndsMs < nowMs ? 'ended' : 'ends'} ${whenText(authorityEndsMs, nowMs)}`,
    why: 'Certificates cannot live longer than the authority that issued them.',
    fix: 'Rotate it now: devices need time to renew under the next one.',
    href: '/settings',
    command: 'holdfast ca rotate',
  };
}

function* backupTroubles({ backups, backupEveryMs, nowMs }: TroubleFacts): Generator<Trouble> {
  const about = { href: '/settings', command: 'holdfast backup status' };
  if (backups === undefined) {
    yield {
      severity: 'advice',
      code: 'backups-none',
      title: 'There are no backups',
      why: 'When this disk breaks, the identities of all devices and the audit log are gone.',
      fix: 'Make one to another machine or a bucket, and let it be made every day.',
      href: '/settings',
      command: 'holdfast backup make --to s3://bucket/prefix',
    };
    return;
  }
  if (backups.troubles > 0) {
    yield {
      severity: 'warning',
      code: 'backups-failing',
      title: `Backups fail: ${counted(backups.troubles, 'destination')} in trouble`,
      why: 'A backup did not succeed, or an erasure has not reached one: what was to be erased can be restored there.',
      fix: 'See what went wrong. It is tried again by itself.',
      ...about,
    };
  }
  const lastMs = Date.parse(backups.lastAt ?? '');
  if (backupEveryMs !== undefined && lastMs < nowMs - BACKUP_LATE_FACTOR * backupEveryMs) {
    yield {
      severity: 'warning',
      code: 'backups-late',
      title: `The last backup was made ${spanText(nowMs - lastMs)} ago`,
      why: 'By the schedule there should be a newer one.',
      fix: 'See how the last attempt went, or make one now.',
      ...about,
    };
  }
  if (backups.lastDrill?.isGood === false) {
    yield {
      severity: 'warning',
      code: 'backup-drill-failed',
      title: 'The last restore that was tried did not work',
      why: 'A backup that cannot be restored is none.',
      fix: 'Try another backup, and see what the drill found.',
      ...about,
    };
  }
}

/** Half a year before an authority ends: its rotation takes as long as certificates live. */
const AUTHORITY_ALARM_MS = 180 * 86_400_000;
