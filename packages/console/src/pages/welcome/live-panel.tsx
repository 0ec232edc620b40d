/** What a new device has done so far: three lights, and what was refused meanwhile. @module */
import type { ReadingView } from '@holdfast/protocol/api';
import { Button, Group } from '@mantine/core';
import { Circle, CircleCheck } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { Link } from 'react-router';
import { CodeBlock } from '../../parts/copy.tsx';
import { Message } from '../../parts/message.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Time } from '../../parts/time.tsx';
import { type FittingRefusal, useFirstSigns } from './use-first-signs.ts';
import styles from './welcome.module.css';

const SHOWN_MAX = 4;

/** The panel beside the steps. It changes by itself, and says so to whoever listens. */
export function LivePanel({
  id,
  since,
  maySeeRefusals,
  onAnother,
}: {
  readonly id: string;
  readonly since: string;
  readonly maySeeRefusals: boolean;
  readonly onAnother: () => void;
}): ReactNode {
  // A device that becomes active has another time of its state; what was refused before stays.
  const [from] = useState(since);
  const { isEnrolled, hasConnected, reading, refusals } = useFirstSigns(id, from, maySeeRefusals);
  const hasReading = reading !== undefined;
  return (
    <Panel title="What it has done" note="This changes by itself.">
      <ul className={styles['signs']} aria-live="polite">
        <Sign
          isDone={isEnrolled}
          isNext={!isEnrolled}
          name={isEnrolled ? 'It is enrolled' : 'Waiting for it to enroll'}
          note={isEnrolled ? 'It has a certificate of its own.' : 'Step 2, on the device.'}
        />
        <Sign
          isDone={hasConnected}
          isNext={isEnrolled && !hasConnected}
          name={hasConnected ? 'It has connected' : 'Not connected yet'}
          note={
            hasConnected
              ? 'It showed its certificate, and the server took it.'
              : 'Over TLS 1.3, with its certificate.'
          }
        />
        <Sign
          isDone={hasReading}
          isNext={hasConnected && !hasReading}
          name={hasReading ? 'Its first verified reading is here' : 'No verified reading yet'}
          note={
            hasReading
              ? 'Signed by it, counted once, stored and proven.'
              : 'Step 3. What is not signed rightly never counts.'
          }
        />
      </ul>
      <div className={styles['refusals']}>
        {reading !== undefined && <Arrived id={id} reading={reading} onAnother={onAnother} />}
        <Refusals id={id} refusals={refusals} />
      </div>
    </Panel>
  );
}

function Sign({
  isDone,
  isNext,
  name,
  note,
}: {
  readonly isDone: boolean;
  readonly isNext: boolean;
  readonly name: string;
  readonly note: string;
}): ReactNode {
  const Icon = isDone ? CircleCheck : Circle;
  return (
    <li className={styles['sign']} data-done={isDone} data-next={isNext}>
      <span className={styles['light']} aria-hidden="true">
        <Icon size={20} />
      </span>
      <div>
        <div className={styles['name']}>{name}</div>
        <p className={styles['hint']}>{note}</p>
      </div>
    </li>
  );
}

function Arrived({
  id,
  reading,
  onAnother,
}: {
  readonly id: string;
  readonly reading: ReadingView;
  readonly onAnother: () => void;
}): ReactNode {
  return (
    <>
      <Message tone="good" title={`${id} is connected.`}>
        Its last reading came <Time at={reading.at} />, on <code>{reading.topic}</code>:
      </Message>
      <CodeBlock code={reading.payload} label="the signed bytes of the reading" />
      <Group gap="xs">
        <Button component={Link} to={`/devices/${id}`}>
          Look at {id}
        </Button>
        <Button variant="default" onClick={onAnother}>
          Connect another
        </Button>
      </Group>
    </>
  );
}

function Refusals({
  id,
  refusals,
}: {
  readonly id: string;
  readonly refusals: readonly FittingRefusal[] | undefined;
}): ReactNode {
  if (refusals === undefined) {
    return (
      <p className={styles['hint']}>
        Your role does not see what is refused. If nothing arrives, ask a security officer or an
        administrator to look at the refusals of {id}.
      </p>
    );
  }
  if (refusals.length === 0) {
    return (
      <p className={styles['hint']}>
        Nothing of it was refused. Whatever is will be explained here.
      </p>
    );
  }
  const left = refusals.length - SHOWN_MAX;
  return (
    <>
      {refusals.slice(0, SHOWN_MAX).map(({ refusal, fit }) => (
        <RefusalMessage key={refusal.index} refusal={refusal} fit={fit} />
      ))}
      {left > 0 && (
        <p className={styles['hint']}>
          And {left} more:{' '}
          <Link to={`/refusals?device=${encodeURIComponent(id)}`}>all refusals</Link>.
        </p>
      )}
    </>
  );
}

function RefusalMessage({ refusal, fit }: FittingRefusal): ReactNode {
  const { what, couldMean, fix, detail, at, address, count, code } = refusal;
  const from = address === undefined ? '' : ` from ${address}`;
  const who =
    fit === 'own' ? `Refused${from}` : `Perhaps your device, perhaps a stranger: refused${from}`;
  return (
    <Message tone="warn" title={what}>
      <p className={styles['hint']}>
        {who}, <Time at={at} />
        {count > 1 && `, ${count} times`} ({code}).
      </p>
      {detail !== '' && <p className={styles['hint']}>Found: {detail}</p>}
      {couldMean !== undefined && <p className={styles['text']}>{couldMean}</p>}
      <p className={styles['text']}>
        <strong>What to do:</strong> {fix}
      </p>
    </Message>
  );
}
