/** What would come of an act on many devices, and what came of it. @module */
import type { BulkAct, ChangedDevices, DeviceActsPlan } from '@holdfast/protocol/api';
import { Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Message } from '../../parts/message.tsx';
import { counted } from '../../parts/number-text.ts';
import { BULK_WORDS } from './bulk-words.ts';
import styles from './devices.module.css';

/** Who is changed, who is passed over and why, and what else is asked for. */
export function BulkPlan({
  act,
  plan,
}: {
  readonly act: BulkAct;
  readonly plan: DeviceActsPlan;
}): ReactNode {
  const words = BULK_WORDS[act];
  const { changed, selected, online, passedOver, forbidden } = plan;
  if (forbidden > 0) return <Forbidden plan={plan} />;
  const isStopping = words.isDangerous === true && online > 0;
  return (
    <Stack gap="sm">
      {changed === 0 ? (
        <Message tone="warn" title={`None of ${counted(selected, 'device')} would change.`}>
          Nothing would be done.
        </Message>
      ) : (
        <>
          <Text size="sm">
            <strong>{counted(changed, 'device')}</strong> {words.becomes}. {words.happens}
          </Text>
          <ul className={styles['facts']}>
            {plan.changes.slice(0, CHANGES_SHOWN).map(({ from, to, devices }) => (
              <li key={`${from} ${to}`}>
                {counted(devices, 'device')}: {from || 'none'} → {to || 'none'}
              </li>
            ))}
            {plan.changes.length > CHANGES_SHOWN && <li>and other changes like these</li>}
            {isStopping && <li>{counted(online, 'connection')} close at once</li>}
          </ul>
          <Listed ids={plan.changedList} count={changed} />
        </>
      )}
      {passedOver > 0 && (
        <div>
          <Text size="sm">
            <strong>{counted(passedOver, 'device')}</strong>{' '}
            {passedOver === 1 ? 'stays as it is:' : 'stay as they are:'}
          </Text>
          <ul className={styles['facts']}>
            {plan.passedOverReasons.map(({ why, devices }) => (
              <li key={why}>
                {why} ({counted(devices, 'device')})
              </li>
            ))}
          </ul>
        </div>
      )}
      {plan.needs !== 'nothing' && changed > 0 && <Text size="sm">{NEEDS[plan.needs]}</Text>}
    </Stack>
  );
}

const CHANGES_SHOWN = 6;

const NEEDS = {
  'step-up': 'The server will ask you to show your second factor again.',
  'second-person': 'A second person has to approve it before it is done.',
} as const;

function Listed({
  ids,
  count,
}: {
  readonly ids: readonly string[];
  readonly count: number;
}): ReactNode {
  const shown = ids.slice(0, 5);
  const more = count - shown.length;
  return (
    <Text size="sm" c="dimmed">
      {shown.join(', ')}
      {more > 0 && ` and ${more} more`}
    </Text>
  );
}

function Forbidden({ plan }: { readonly plan: DeviceActsPlan }): ReactNode {
  const { forbidden, forbiddenList } = plan;
  return (
    <Message
      tone="warn"
      title={`Your role does not permit this on ${counted(forbidden, 'device')}.`}
    >
      So nothing would be done at all. They are: {forbiddenList.join(', ')}
      {forbidden > forbiddenList.length && ', and more'}. Take them out of the selection, or ask an
      administrator.
    </Message>
  );
}

/** What was done. */
export function BulkResult({
  act,
  result,
}: {
  readonly act: BulkAct;
  readonly result: ChangedDevices;
}): ReactNode {
  const { changed, passedOver, passedOverList } = result;
  return (
    <Message
      tone={changed > 0 ? 'good' : 'warn'}
      title={`${BULK_WORDS[act].label}: ${counted(changed, 'device')} changed.`}
    >
      {passedOver === 0 && 'It is on the audit log, one entry for each of them.'}
      {passedOver > 0 && (
        <>
          {counted(passedOver, 'device')} stayed as before:
          <ul className={styles['facts']}>
            {passedOverList.map(({ id, why }) => (
              <li key={id}>{why}</li>
            ))}
            {passedOver > passedOverList.length && (
              <li>and {counted(passedOver - passedOverList.length, 'other')}</li>
            )}
          </ul>
        </>
      )}
    </Message>
  );
}
