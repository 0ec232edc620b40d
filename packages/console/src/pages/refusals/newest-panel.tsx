/** Refusals one by one, as they come. @module */
import { Button } from '@mantine/core';
import { type ReactNode, useCallback, useState } from 'react';
import { Empty, Loading } from '../../parts/empty.tsx';
import { Message, ProblemMessage } from '../../parts/message.tsx';
import { counted } from '../../parts/number-text.ts';
import { Older } from '../../parts/older.tsx';
import { Panel } from '../../parts/panel.tsx';
import { type RefusalFilter, isFiltered } from './refusal-filter.ts';
import { RefusalItem } from './refusal-item.tsx';
import { runsOf } from './refusal-runs.ts';
import { useRefusals } from './use-refusals.ts';
import styles from './refusals.module.css';

/** The panel. It is made anew for another filter. */
export function NewestPanel({ filter }: { readonly filter: RefusalFilter }): ReactNode {
  const [open, setOpen] = useState<number | undefined>();
  const refusals = useRefusals(filter, open !== undefined);
  const toggle = useCallback(
    (key: number) => setOpen((before) => (before === key ? undefined : key)),
    [],
  );
  const { all, waiting, leftOut, problem } = refusals;
  const runs = runsOf(all ?? []);
  return (
    <Panel
      title="Newest first"
      note="New ones come on top, but for the time that you have one open."
      actions={
        waiting > 0 && (
          <Button size="compact-sm" onClick={refusals.showWaiting}>
            Show {counted(waiting, 'new refusal')}
          </Button>
        )
      }
      isFlush
    >
      {leftOut > 0 && (
        <div className={styles['strip']}>
          <Message
            tone="warn"
            title={`A flood: ${counted(leftOut, 'refusal')} more came than is shown as it happens.`}
            actions={
              <Button size="compact-sm" variant="default" onClick={refusals.renew}>
                Load again
              </Button>
            }
          >
            All of them are counted, and on the audit log.
          </Message>
        </div>
      )}
      <ProblemMessage error={problem} />
      {all === undefined && problem === null && <Loading what="the refusals" />}
      {all?.length === 0 && <Nothing filter={filter} hasMore={refusals.hasMore} />}
      <ul className={styles['list']}>
        {runs.map((run) => (
          <RefusalItem key={run.key} run={run} isOpen={open === run.key} onToggle={toggle} />
        ))}
      </ul>
      {refusals.hasMore && (
        <Older isAsking={refusals.isLoadingMore} onAsk={refusals.loadMore}>
          Look further back
        </Older>
      )}
    </Panel>
  );
}

function Nothing({
  filter,
  hasMore,
}: {
  readonly filter: RefusalFilter;
  readonly hasMore: boolean;
}): ReactNode {
  if (hasMore) {
    return (
      <Empty title="None of the newest 20,000 fits.">Older ones may: look further back.</Empty>
    );
  }
  if (isFiltered(filter)) {
    return <Empty title="No refusal fits.">Take a part of the filter away to see more.</Empty>;
  }
  return (
    <Empty title="Nothing was refused yet.">
      Whatever this server does not accept stands here at once: a message that was altered, a
      certificate that it does not know, a password that is wrong.
    </Empty>
  );
}
