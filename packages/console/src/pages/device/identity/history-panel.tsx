/** What was done to the device, and by whom. @module */
import type { ReactNode } from 'react';
import { Empty, Loading } from '../../../parts/empty.tsx';
import { ProblemMessage } from '../../../parts/message.tsx';
import { Older } from '../../../parts/older.tsx';
import { Panel } from '../../../parts/panel.tsx';
import { ActList } from './act-list.tsx';
import type { ActsState } from './use-device-acts.ts';

/** The panel. */
export function HistoryPanel({
  state: { acts, problem, isAsking, hasOlder, loadOlder },
}: {
  readonly state: ActsState;
}): ReactNode {
  return (
    <Panel
      title="History"
      note="What was done to it, by whom and why, and what it did for its identity: as the audit log has it."
      isFlush
    >
      <ProblemMessage error={problem} />
      {acts === undefined && problem === null && <Loading what="the history" />}
      {acts?.length === 0 && !hasOlder && (
        <Empty title="Nothing was noted of it">It may have been added before this was noted.</Empty>
      )}
      {acts !== undefined && <ActList acts={acts} />}
      {hasOlder && (
        <Older isAsking={isAsking} onAsk={loadOlder}>
          Show older ones
        </Older>
      )}
    </Panel>
  );
}
