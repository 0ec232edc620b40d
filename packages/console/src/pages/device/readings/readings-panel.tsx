/** The readings of a device, newest first. @module */
import type { ReadingView } from '@holdfast/protocol/api';
import { Button } from '@mantine/core';
import { Pause, Play } from 'lucide-react';
import { type ReactNode, memo, useState } from 'react';
import { Badge } from '../../../parts/badge.tsx';
import { Empty, Loading } from '../../../parts/empty.tsx';
import { ProblemMessage } from '../../../parts/message.tsx';
import { countText } from '../../../parts/number-text.ts';
import { Older } from '../../../parts/older.tsx';
import { Panel } from '../../../parts/panel.tsx';
import { agoText, exactText } from '../../../parts/time-text.ts';
import { useNowMs } from '../../../parts/use-now.ts';
import type { Rights } from '../use-device.ts';
import { contentText, counterOf, topicBehind } from './payload.ts';
import { ReadingDrawer } from './reading-drawer.tsx';
import type { ReadingsState } from './use-readings.ts';
import tables from '../../../parts/table.module.css';

/** The panel. */
export function ReadingsPanel({
  id,
  state,
  rights,
}: {
  readonly id: string;
  readonly state: ReadingsState;
  readonly rights: Rights;
}): ReactNode {
  const { readings, problem, hasOlder, loadOlder } = state;
  const [open, setOpen] = useState<ReadingView | undefined>();
  return (
    <Panel
      title="Readings"
      note="Each one was verified before it was taken in. Open one for its exact bytes and its proof."
      actions={<LiveControls state={state} />}
      isFlush
    >
      <ProblemMessage error={problem} />
      {readings === undefined && problem === undefined && <Loading what="the readings" />}
      {readings?.length === 0 && <NoReadings id={id} />}
      {readings !== undefined && readings.length > 0 && (
        <ReadingsTable readings={readings} onOpen={setOpen} />
      )}
      {readings !== undefined && readings.length > 0 && hasOlder && (
        <Older onAsk={loadOlder}>Show older ones</Older>
      )}
      <ReadingDrawer
        reading={open}
        mayProve={rights.get('prove')}
        onClose={() => setOpen(undefined)}
      />
    </Panel>
  );
}

function LiveControls({ state }: { readonly state: ReadingsState }): ReactNode {
  const { stream, isPaused, waiting, setPaused } = state;
  return (
    <>
      <span role="status">
        {isPaused && <Badge>paused{waiting > 0 && `, ${countText(waiting)} new`}</Badge>}
        {!isPaused && stream === 'live' && <Badge tone="good">live</Badge>}
        {!isPaused && stream === 'connecting' && <Badge>connecting</Badge>}
        {!isPaused && stream === 'lost' && <Badge tone="warn">not live, trying again</Badge>}
      </span>
      <Button
        variant="default"
        size="compact-sm"
        leftSection={isPaused ? <Play size={14} /> : <Pause size={14} />}
        onClick={() => setPaused(!isPaused)}
      >
        {isPaused ? 'Go on' : 'Pause'}
      </Button>
    </>
  );
}

function ReadingsTable({
  readings,
  onOpen,
}: {
  readonly readings: readonly ReadingView[];
  readonly onOpen: (reading: ReadingView) => void;
}): ReactNode {
  const nowMs = Math.max(useNowMs(), Date.now());
  return (
    <table className={tables['table']}>
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">What it says</th>
          <th scope="col" className={tables['wide']}>
            Topic
          </th>
          <th scope="col" className={`${tables['number']} ${tables['wide']}`}>
            Counter
          </th>
          <th scope="col" className={`${tables['number']} ${tables['wide']}`}>
            Entry
          </th>
        </tr>
      </thead>
      <tbody>
        {readings.map((reading) => (
          <ReadingRow
            key={reading.index}
            reading={reading}
            when={agoText(Math.min(nowMs, Date.parse(reading.at)), nowMs)}
            onOpen={onOpen}
          />
        ))}
      </tbody>
    </table>
  );
}

/** Readings come fast, and a row never changes. */
const ReadingRow = memo(function ReadingRow({
  reading,
  when,
  onOpen,
}: {
  readonly reading: ReadingView;
  readonly when: string;
  readonly onOpen: (reading: ReadingView) => void;
}): ReactNode {
  const { index, at, device, topic, payload } = reading;
  return (
    <tr className={tables['opens']} onClick={() => onOpen(reading)}>
      <td className={tables['short']}>
        {/* Lighter than a tooltip: hundreds of rows may come in a second. */}
        <time dateTime={at} title={exactText(new Date(at))}>
          {when}
        </time>
      </td>
      <td>
        <button
          type="button"
          className={tables['open']}
          aria-label={`Open the reading of entry ${index}: ${contentText(payload)}`}
          onClick={(event) => {
            event.stopPropagation();
            onOpen(reading);
          }}
        >
          {contentText(payload)}
        </button>
      </td>
      <td className={tables['wide']}>
        <code>{topicBehind(topic, device)}</code>
      </td>
      <td className={`${tables['number']} ${tables['wide']}`}>{counterOf(payload) ?? ''}</td>
      <td className={`${tables['number']} ${tables['wide']}`}>{index}</td>
    </tr>
  );
});

function NoReadings({ id }: { readonly id: string }): ReactNode {
  return (
    <Empty title="It has sent nothing yet">
      As soon as {id} publishes on <code>d/{id}/telemetry</code>, each verified reading stands here
      within a second. If it tries and nothing comes, look at its refusals: they say why.
    </Empty>
  );
}
