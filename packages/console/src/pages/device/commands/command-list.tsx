/** The commands to a device, with how far each has come. @module */
import type { DeviceCommandView } from '@holdfast/protocol/api';
import { Check, Clock, X } from 'lucide-react';
import type { ReactNode } from 'react';
import { spanText } from '../../../parts/time-text.ts';
import { Time } from '../../../parts/time.tsx';
import { whoText } from '../../audit/act-text.ts';
import { contentText } from '../readings/payload.ts';
import styles from './command-list.module.css';

/** What the server said when a command was sent from this page: whether a session had it. */
export type Receivers = ReadonlyMap<number, number>;

/** The list. */
export function CommandList({
  commands,
  receivers,
  isOnline,
}: {
  readonly commands: readonly DeviceCommandView[];
  readonly receivers: Receivers;
  readonly isOnline: boolean;
}): ReactNode {
  return (
    <ul className={styles['list']}>
      {commands.map((command) => (
        <Command
          key={command.index}
          command={command}
          receivers={receivers.get(command.index)}
          isOnline={isOnline}
        />
      ))}
    </ul>
  );
}

function Command({
  command,
  receivers,
  isOnline,
}: {
  readonly command: DeviceCommandView;
  readonly receivers: number | undefined;
  readonly isOnline: boolean;
}): ReactNode {
  const { index, at, name, by, payload, ack } = command;
  return (
    <li className={styles['command']}>
      <div>
        <h3 className={styles['name']}>
          <code>{name}</code> <span className={styles['body']}>{contentText(payload)}</span>
        </h3>
        <p className={styles['by']}>
          by {whoText({ principal: by })}, <Time at={at} />, entry {index}
        </p>
      </div>
      <ol className={styles['steps']} aria-label={`How far ${name} has come`}>
        <Step state="done" label="stored on the log" />
        <ReceivedStep
          isAcknowledged={ack !== undefined}
          receivers={receivers}
          isOnline={isOnline}
        />
        {ack === undefined ? (
          <Step state="waiting" label="not acknowledged yet" />
        ) : (
          <Step
            state="done"
            label={`acknowledged after ${spanText(Date.parse(ack.at) - Date.parse(at))}`}
          />
        )}
      </ol>
      {ack !== undefined && contentText(ack.payload) !== '' && (
        <p className={styles['answer']}>It answered: {contentText(ack.payload)}</p>
      )}
    </li>
  );
}

/** Of a command from elsewhere nothing is known of this step before it was answered. */
function ReceivedStep({
  isAcknowledged,
  receivers,
  isOnline,
}: {
  readonly isAcknowledged: boolean;
  readonly receivers: number | undefined;
  readonly isOnline: boolean;
}): ReactNode {
  if (isAcknowledged) return <Step state="done" label="received" />;
  if (receivers === 0) {
    return <Step state="missed" label="missed: it does not listen to its commands" />;
  }
  if (receivers === 1 && isOnline) return <Step state="done" label="handed to its connection" />;
  if (receivers === 1) return <Step state="waiting" label="waits for it to come back" />;
  return null;
}

const ICONS = { done: Check, waiting: Clock, missed: X } as const;

function Step({
  state,
  label,
}: {
  readonly state: keyof typeof ICONS;
  readonly label: string;
}): ReactNode {
  const Icon = ICONS[state];
  return (
    <li className={styles['step']} data-state={state}>
      <Icon size={14} aria-hidden="true" />
      {label}
    </li>
  );
}
