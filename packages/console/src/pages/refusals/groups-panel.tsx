/** Refusals counted by device, address or reason. @module */
import type { RefusalGrouping, RefusalSpan, RefusalSummary } from '@holdfast/protocol/api';
import { SegmentedControl } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { useAsk } from '../../api/use-ask.ts';
import { useRenewal } from '../../api/use-renewal.ts';
import { useLive } from '../../live/use-live.tsx';
import { DeviceState } from '../../parts/device-state.tsx';
import { Empty, Loading } from '../../parts/empty.tsx';
import { Message, ProblemMessage } from '../../parts/message.tsx';
import { countText, counted } from '../../parts/number-text.ts';
import { Panel } from '../../parts/panel.tsx';
import { Time } from '../../parts/time.tsx';
import { QuarantineButton } from './quarantine-button.tsx';
import { isDevice } from './refusal-filter.ts';
import tables from '../../parts/table.module.css';
import styles from './refusals.module.css';

type Group = RefusalSummary['groups'][number];

const EVERY_MS = 60_000;
/** The server counts anew no more often than this. */
const RENEWED_MS = 5_000;
/** Reasons that a line names; the page of the group has all. */
const REASONS_MAX = 2;

const WORDS: Readonly<
  Record<RefusalGrouping, { readonly title: string; readonly head: string; nobody: string }>
> = {
  device: {
    title: 'By device or person',
    head: 'Device or person',
    nobody: 'Nobody who was proven',
  },
  address: { title: 'By address', head: 'Address', nobody: 'No address' },
  code: { title: 'By reason', head: 'Reason', nobody: '' },
};

const SPANS = [
  { value: 'hour', label: 'Hour' },
  { value: 'day', label: 'Day' },
  { value: 'week', label: 'Week' },
] as const satisfies { value: RefusalSpan; label: string }[];

/** The panel. */
export function GroupsPanel({
  by,
  span,
  onSpan,
}: {
  readonly by: RefusalGrouping;
  readonly span: RefusalSpan;
  readonly onSpan: (span: RefusalSpan) => void;
}): ReactNode {
  useLive('refusal', useRenewal('/v1/refusals/summary', RENEWED_MS));
  const { data, error } = useAsk<RefusalSummary>(`/v1/refusals/summary?by=${by}&span=${span}`, {
    everyMs: EVERY_MS,
  });
  return (
    <Panel
      title={WORDS[by].title}
      note={data && `${counted(data.total, 'refusal')} in the last ${span}.`}
      actions={
        <SegmentedControl
          data={[...SPANS]}
          value={span}
          onChange={(value) => onSpan(value)}
          aria-label="How far back"
        />
      }
      isFlush
    >
      <ProblemMessage error={error} />
      {data === undefined ? (
        error === null && <Loading what="the counts" />
      ) : (
        <Summary summary={data} />
      )}
    </Panel>
  );
}

function Summary({ summary }: { readonly summary: RefusalSummary }): ReactNode {
  const { by, span, groups, others, isComplete, since } = summary;
  if (groups.length === 0) {
    return (
      <Empty title={`Nothing was refused in the last ${span}.`}>
        When a device or an address is refused, it stands here with how often and why.
      </Empty>
    );
  }
  return (
    <>
      {!isComplete && (
        <div className={styles['strip']}>
          <Message title="There were more than are counted here.">
            These are the refusals since <Time at={since} />. The audit log has all of them.
          </Message>
        </div>
      )}
      <table className={`${tables['table']} ${styles['groups']}`}>
        <thead>
          <tr>
            <th scope="col">{WORDS[by].head}</th>
            <th scope="col" className={tables['number']}>
              Refusals
            </th>
            {by !== 'code' && <th scope="col">Why</th>}
            <th scope="col" className={styles['wide']}>
              {by === 'address' ? 'Devices' : 'Addresses'}
            </th>
            <th scope="col">Last</th>
            {by === 'device' && <th scope="col">Act</th>}
          </tr>
        </thead>
        <tbody>
          {groups.map((group) => (
            <GroupRow key={group.key} by={by} group={group} />
          ))}
        </tbody>
      </table>
      {others > 0 && (
        <p className={tables['more']}>and {counted(others, 'refusal')} of groups not listed</p>
      )}
    </>
  );
}

function GroupRow({
  by,
  group,
}: {
  readonly by: RefusalGrouping;
  readonly group: Group;
}): ReactNode {
  const { key, count, codes, devices, addresses, firstAt, lastAt } = group;
  return (
    <tr>
      <td>
        <GroupName by={by} group={group} />
      </td>
      <td className={tables['number']}>
        {countText(count)}
        <span className={styles['unit']}>{count === 1 ? ' time' : ' times'}</span>
      </td>
      {by !== 'code' && (
        <td className={styles['why']}>
          {codes.slice(0, REASONS_MAX).map(({ code, what, count: times }) => (
            <span key={code} className={styles['reasons']}>
              {what} <span className={styles['short']}>({countText(times)})</span>
            </span>
          ))}
          {codes.length > REASONS_MAX && (
            <span className={styles['reasons']}>
              and {counted(codes.length - REASONS_MAX, 'other reason')}
            </span>
          )}
        </td>
      )}
      <td className={styles['wide']}>{countText(by === 'address' ? devices : addresses)}</td>
      <td className={styles['last']}>
        <Time at={lastAt} />
        {firstAt !== lastAt && (
          <span className={styles['first']}>
            first <Time at={firstAt} />
          </span>
        )}
      </td>
      {by === 'device' && <td>{mayStop(group) && <QuarantineButton device={key} isCompact />}</td>}
    </tr>
  );
}

/** Leads to the refusals of the group. */
function GroupName({
  by,
  group,
}: {
  readonly by: RefusalGrouping;
  readonly group: Group;
}): ReactNode {
  const { key, codes, state } = group;
  if (key === '') return WORDS[by].nobody;
  const query = new URLSearchParams({ [by]: key }).toString();
  return (
    <>
      <Link to={`/refusals?${query}`}>
        {by === 'code' ? (codes[0]?.what ?? key) : <code>{key}</code>}
      </Link>{' '}
      {state !== undefined && <DeviceState state={state} />}
    </>
  );
}

/** A device that is not stopped already; of one that nobody knows, the server says so. */
function mayStop({ key, state }: Group): boolean {
  return isDevice(key) && (state === undefined || STOPPABLE.has(state));
}

const STOPPABLE: ReadonlySet<NonNullable<Group['state']>> = new Set([
  'claimed',
  'active',
  'suspended',
]);
