/** How the device is connected, what waits for it, and its connections before. @module */
import type { DeviceSessions } from '@holdfast/protocol/api';
import type { ReactNode } from 'react';
import { useAsk } from '../../../api/use-ask.ts';
import { CopyText } from '../../../parts/copy.tsx';
import { Empty, Loading } from '../../../parts/empty.tsx';
import { Fact, Facts } from '../../../parts/facts.tsx';
import { ProblemMessage } from '../../../parts/message.tsx';
import { countText } from '../../../parts/number-text.ts';
import { Panel } from '../../../parts/panel.tsx';
import { spanText } from '../../../parts/time-text.ts';
import { Time } from '../../../parts/time.tsx';
import { pathOf } from '../use-device.ts';
import tables from '../../../parts/table.module.css';
import styles from './sessions-panel.module.css';

const EVERY_MS = 30_000;

/** The panel. */
export function SessionsPanel({ id }: { readonly id: string }): ReactNode {
  const { data, error } = useAsk<DeviceSessions>(`${pathOf(id)}/sessions`, { everyMs: EVERY_MS });
  return (
    <Panel
      title="Sessions"
      note="Its connection of now, and those since the server started."
      isFlush
    >
      <ProblemMessage error={error} />
      {data === undefined && error === null && <Loading what="its sessions" />}
      {data !== undefined && (
        <>
          <div className={styles['now']}>
            <NowFacts sessions={data} />
          </div>
          {data.previous.length > 0 && <Previous previous={data.previous} />}
          {data.previous.length === 0 && data.connection === undefined && (
            <Empty title="It has not been connected since the server started" />
          )}
        </>
      )}
    </Panel>
  );
}

function NowFacts({
  sessions: { connection, session },
}: {
  readonly sessions: DeviceSessions;
}): ReactNode {
  return (
    <Facts>
      {connection !== undefined && (
        <>
          <Fact name="Connected">
            for <Time at={connection.since} isSpan />, from{' '}
            <CopyText value={connection.address} label="the address" />
          </Fact>
          <Fact name="Speaks">
            {[connection.protocol, connection.transport, connection.tls, connection.cipher]
              .filter((part) => part !== undefined)
              .join(', ')}
          </Fact>
          <Fact name="Keep-alive">
            {connection.keepAliveS === 0 ? 'none' : `${connection.keepAliveS} seconds`}
          </Fact>
        </>
      )}
      {session !== undefined && (
        <>
          <Fact name="Session">
            {session.expiryS === 0
              ? 'ends with its connection'
              : `outlives its connection by ${spanText(session.expiryS * 1_000)}`}
          </Fact>
          <Fact name="Waiting for it">{countText(session.queued)} messages</Fact>
          <Fact name="Listens to">
            {session.subscriptions.length === 0 && 'nothing'}
            {session.subscriptions.map(({ filter, qos }) => (
              <span key={filter} className={styles['filter']}>
                <code>{filter}</code> QoS {qos}
              </span>
            ))}
          </Fact>
        </>
      )}
    </Facts>
  );
}

function Previous({ previous }: { readonly previous: DeviceSessions['previous'] }): ReactNode {
  return (
    <table className={tables['table']}>
      <thead>
        <tr>
          <th scope="col">Ended</th>
          <th scope="col">Lasted</th>
          <th scope="col">Address</th>
          <th scope="col" className={tables['wide']}>
            Spoke
          </th>
          <th scope="col">Why it ended</th>
        </tr>
      </thead>
      <tbody>
        {previous.map(({ address, since, until, protocol, why }) => (
          <tr key={`${since} ${until}`}>
            <td className={tables['short']}>
              <Time at={until} />
            </td>
            <td className={tables['short']}>{spanText(Date.parse(until) - Date.parse(since))}</td>
            <td>{address}</td>
            <td className={tables['wide']}>{protocol}</td>
            <td>{why}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
