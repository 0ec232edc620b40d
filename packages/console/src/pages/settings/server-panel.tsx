/** Where the server is reached, and what devices pin. @module */
import type { ServerInfo } from '@holdfast/protocol/api';
import type { ReactNode } from 'react';
import { CopyText } from '../../parts/copy.tsx';
import { Fact, Facts } from '../../parts/facts.tsx';
import { bytesText } from '../../parts/number-text.ts';
import { Time } from '../../parts/time.tsx';
import { LoadedPanel } from './loaded.tsx';

/** The panel. */
export function ServerPanel(): ReactNode {
  return (
    <LoadedPanel<ServerInfo> path="/v1/server" what="the server" title="This server">
      {({ version, startedAt, broker, enroll, api, pins, verifierKey, disk }) => (
        <Facts>
          <Fact name="Version">
            {version}, running since <Time at={startedAt} />
          </Fact>
          <Fact name="Broker (MQTT over mutual TLS)">
            <CopyText value={broker} label="the address of the broker" />
          </Fact>
          <Fact name="Enrollment">
            <CopyText value={enroll} label="the address of enrollment" />
          </Fact>
          <Fact name="API and console">
            <CopyText value={api} label="the address of the API" />
          </Fact>
          <Fact name="Pin of its key">
            <CopyText value={pins.spki} label="the pin" />
          </Fact>
          <Fact name="Backup pin">
            <CopyText value={pins.backupSpki} label="the backup pin" />
          </Fact>
          <Fact name="Verifies checkpoints">
            <CopyText value={verifierKey} label="the verifier key" />
          </Fact>
          {disk?.freeBytes !== undefined && (
            <Fact name="Disk">
              {bytesText(disk.freeBytes)} free, {disk.condition}; below{' '}
              {bytesText(disk.reserveBytes)} no message is taken
            </Fact>
          )}
        </Facts>
      )}
    </LoadedPanel>
  );
}
