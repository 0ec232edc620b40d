/** Whether all is well, and what is not. @module */
import type { Overview } from '@holdfast/protocol/api';
import type { ReactNode } from 'react';
import { Loading } from '../../parts/empty.tsx';
import { Figure, Figures } from '../../parts/figure.tsx';
import { Message, ProblemMessage } from '../../parts/message.tsx';
import { countText, counted, rateText } from '../../parts/number-text.ts';
import { Page } from '../../parts/page.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Time } from '../../parts/time.tsx';
import { FleetPanel } from './fleet-panel.tsx';
import { headlineOf } from './headline.ts';
import { LogPanel } from './log-panel.tsx';
import { ServerPanel } from './server-panel.tsx';
import { TrafficPanel } from './traffic-panel.tsx';
import { TroubleList } from './trouble-list.tsx';
import { UpdatesPanel } from './updates-panel.tsx';
import { useLiveFigures, useOverview } from './use-overview.ts';
import styles from './overview.module.css';

/** The page. */
export function OverviewPage(): ReactNode {
  const overview = useOverview();
  const { data } = overview;
  return (
    <Page title="Overview" intro={data && headlineOf(data.troubles)}>
      <ProblemMessage error={overview.error} />
      {data === undefined ? (
        overview.error === null && <Loading what="the overview" />
      ) : (
        <Everything overview={data} />
      )}
    </Page>
  );
}

function Everything({ overview }: { readonly overview: Overview }): ReactNode {
  const { troubles, fleet, log, updates } = overview;
  const urgent = troubles.filter(({ severity }) => severity !== 'advice');
  const advice = troubles.filter(({ severity }) => severity === 'advice');
  return (
    <>
      <div aria-live="polite">
        {urgent.length > 0 ? (
          <Panel title="Needs attention" isFlush>
            <TroubleList troubles={urgent} />
          </Panel>
        ) : (
          <Message tone="good" title="All is well.">
            Devices, certificates, the audit log and the disk were looked at{' '}
            <Time at={overview.at} />.
          </Message>
        )}
      </div>
      <KeyFigures overview={overview} />
      <TrafficPanel />
      <div className={styles['grid']}>
        <div className={styles['column']}>
          <FleetPanel fleet={fleet} />
          {updates !== undefined && <UpdatesPanel updates={updates} />}
        </div>
        <div className={styles['column']}>
          {log !== undefined && <LogPanel log={log} />}
          <ServerPanel overview={overview} />
        </div>
      </div>
      {advice.length > 0 && (
        <Panel title="Good to do next" note="Nothing of this is urgent." isFlush>
          <TroubleList troubles={advice} />
        </Panel>
      )}
    </>
  );
}

function KeyFigures({ overview }: { readonly overview: Overview }): ReactNode {
  const { fleet, certificates, refusals } = overview;
  const { acceptedPerS, connections } = useLiveFigures() ?? overview.traffic;
  const stopped = fleet.byState['quarantined'] ?? 0;
  const endsSoon = certificates.ending.count + certificates.ended.count;
  const before = new Date(Date.parse(overview.at) + WEEK_MS).toISOString();
  return (
    <Figures>
      <Figure
        label="Devices"
        value={countText(fleet.total)}
        note={`${countText(fleet.connected)} connected`}
        to="/devices"
      />
      <Figure
        label="In quarantine"
        value={countText(stopped)}
        tone={stopped > 0 ? 'bad' : 'calm'}
        note={stopped > 0 ? 'until somebody looks' : 'none is cut off'}
        to="/devices?state=quarantined"
      />
      <Figure
        label="Messages a second"
        value={rateText(acceptedPerS)}
        note={counted(connections, 'open connection')}
      />
      {refusals !== undefined && (
        <Figure
          label="Refused in the last hour"
          value={countText(refusals.total)}
          note={counted(refusals.byCode.length, 'reason')}
          to="/refusals"
        />
      )}
      <Figure
        label="Certificates ending"
        value={countText(endsSoon)}
        tone={endsSoon > 0 ? 'warn' : 'calm'}
        note={
          certificates.ended.count > 0
            ? `${countText(certificates.ended.count)} of them ended`
            : 'within 7 days'
        }
        to={`/devices?certificateBefore=${encodeURIComponent(before)}`}
      />
    </Figures>
  );
}

const WEEK_MS = 7 * 86_400_000;
