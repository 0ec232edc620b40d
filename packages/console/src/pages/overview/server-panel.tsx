/** The server itself: disk, backups, certificates, keys. @module */
import type { Overview } from '@holdfast/protocol/api';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { Badge } from '../../parts/badge.tsx';
import { Fact, Facts } from '../../parts/facts.tsx';
import { bytesText, counted } from '../../parts/number-text.ts';
import { Panel } from '../../parts/panel.tsx';
import { Time } from '../../parts/time.tsx';
import type { Tone } from '../../parts/tone.ts';

type Disk = NonNullable<Overview['disk']>;

const DISK_LOOKS: Readonly<Record<Disk['condition'], { readonly tone: Tone; text: string }>> = {
  good: { tone: 'good', text: 'good' },
  slow: { tone: 'warn', text: 'slow' },
  failing: { tone: 'bad', text: 'failing' },
  full: { tone: 'bad', text: 'full' },
};

/** The panel. */
export function ServerPanel({ overview }: { readonly overview: Overview }): ReactNode {
  const { disk, backups, serverCertificate, version, startedAt, isReady } = overview;
  return (
    <Panel title="Server" actions={<Link to="/settings">Settings</Link>}>
      <Facts>
        <Fact name="Messages">
          {isReady ? (
            <Badge tone="good">are stored</Badge>
          ) : (
            <Badge tone="bad">cannot be stored</Badge>
          )}
        </Fact>
        {disk !== undefined && (
          <Fact name="Disk">
            <Badge tone={DISK_LOOKS[disk.condition].tone}>{DISK_LOOKS[disk.condition].text}</Badge>
            {disk.freeBytes !== undefined && ` ${bytesText(disk.freeBytes)} free`}
          </Fact>
        )}
        <Fact name="Last backup">
          <LastBackup backups={backups} />
        </Fact>
        <Fact name="Its certificate">
          ends <Time at={serverCertificate.endsAt} />, renewed by itself
        </Fact>
        {serverCertificate.publicEndsAt !== undefined && (
          <Fact name="Public name">
            certificate ends <Time at={serverCertificate.publicEndsAt} />
          </Fact>
        )}
        <Fact name="Running">
          {version}, started <Time at={startedAt} />
        </Fact>
      </Facts>
    </Panel>
  );
}

function LastBackup({ backups }: Pick<Overview, 'backups'>): ReactNode {
  if (backups === undefined) return 'none was ever made';
  return (
    <>
      <Time at={backups.lastAt} />
      {backups.troubles > 0 && (
        <>
          {' '}
          <Badge tone="bad">{counted(backups.troubles, 'destination')} in trouble</Badge>
        </>
      )}
    </>
  );
}
