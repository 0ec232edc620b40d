/** What was refused of the device, in plain words. @module */
import type { ReactNode } from 'react';
import { Empty, Loading } from '../../../parts/empty.tsx';
import { ProblemMessage } from '../../../parts/message.tsx';
import { countText } from '../../../parts/number-text.ts';
import { Older } from '../../../parts/older.tsx';
import { Panel } from '../../../parts/panel.tsx';
import { Time } from '../../../parts/time.tsx';
import { type RefusalRun, runsOf } from '../../refusals/refusal-runs.ts';
import type { TabProps } from '../device-page.tsx';
import { useDeviceRefusals } from '../use-device-refusals.ts';
import styles from './refusals-tab.module.css';

/** The part of the page. */
export function RefusalsTab({ detail: { device }, rights }: TabProps): ReactNode {
  const mayNot = rights.reads?.refusals === false;
  const state = useDeviceRefusals(device.id, rights.reads?.refusals === true);
  const { refusals, problem, hasOlder, isAsking, loadOlder } = state;
  return (
    <Panel
      title="Refusals"
      note="What it did that was not let through, and what others did in its name. The newest first."
      isFlush
    >
      {mayNot && (
        <Empty title="You may not see refusals">
          They stand on the audit log. Ask an administrator for the role auditor or security
          officer.
        </Empty>
      )}
      <ProblemMessage error={problem} />
      {refusals === undefined && problem === null && !mayNot && <Loading what="the refusals" />}
      {refusals?.length === 0 && <Nothing hasOlder={hasOlder} />}
      <ul className={styles['list']}>
        {runsOf(refusals ?? []).map((run) => (
          <Refusal key={run.key} run={run} />
        ))}
      </ul>
      {hasOlder && (
        <Older isAsking={isAsking} onAsk={loadOlder}>
          Look further back
        </Older>
      )}
    </Panel>
  );
}

function Nothing({ hasOlder }: { readonly hasOlder: boolean }): ReactNode {
  if (hasOlder) {
    return <Empty title="None of the newest refusals is of it">Older ones may be.</Empty>;
  }
  return (
    <Empty title="Nothing of it was refused">
      An altered payload, a replayed counter, a topic that is not its own: all of it would stand
      here, with what it could mean and what to do.
    </Empty>
  );
}

function Refusal({ run: { newest, count } }: { readonly run: RefusalRun }): ReactNode {
  const { at, what, couldMean, fix, detail, code, address, topic, claimed, principal } = newest;
  return (
    <li className={styles['refusal']}>
      <div className={styles['when']}>
        <Time at={at} />
        {count > 1 && <span>{countText(count)} times</span>}
      </div>
      <div className={styles['words']}>
        <h3 className={styles['what']}>{what}</h3>
        <p>{detail}</p>
        {couldMean !== undefined && (
          <p>
            <strong>It could mean:</strong> {couldMean}
          </p>
        )}
        <p>
          <strong>Next step:</strong> {fix}
        </p>
        <p className={styles['facts']}>
          <code>{code}</code>
          {address !== undefined && <span>from {address}</span>}
          {topic !== undefined && (
            <span>
              on <code>{topic}</code>
            </span>
          )}
          {principal === undefined && claimed !== undefined && (
            <span>it only said that it is {claimed}</span>
          )}
        </p>
      </div>
    </li>
  );
}
