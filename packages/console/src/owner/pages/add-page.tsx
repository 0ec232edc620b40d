/** Scan or type a code: to pair this phone, or to add a device to those that it has. @module */
import { useQueryClient } from '@tanstack/react-query';
import { Camera, Keyboard } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { Message } from '../../parts/message.tsx';
import { goTo } from '../hash-route.ts';
import { beginAnew } from '../owner-query.ts';
import { addDevice, pairPhone } from '../pairing/pair.ts';
import { type ReadCode, readScanned } from '../pairing/read-code.ts';
import { Scanner } from '../pairing/scanner.tsx';
import { TypeCode } from '../pairing/type-code.tsx';
import { Brand } from '../parts/brand.tsx';
import { Button } from '../parts/button.tsx';
import { ProblemBox } from '../parts/problem.tsx';
import controls from '../parts/controls.module.css';

/** What the page is for. */
export interface AddPageProps {
  /** Whether this phone has an owner already, who gets one more device. */
  readonly isPaired: boolean;
  /** What a link has brought along. */
  readonly linked?: string;
}

export function AddPage({ isPaired, linked }: AddPageProps): ReactNode {
  const [read, setRead] = useState<ReadCode | undefined>(() =>
    linked === undefined ? undefined : readScanned(linked),
  );
  const [way, setWay] = useState<'scan' | 'type'>();
  const cancel = (): void => {
    setRead(undefined);
    setWay(undefined);
    if (linked !== undefined) goTo('#/', { replace: true });
  };
  if (read !== undefined) return <Agree read={read} isPaired={isPaired} onCancel={cancel} />;
  return (
    <section className={controls['stack']}>
      {!isPaired && <Brand />}
      <h1>{isPaired ? 'Add a device' : 'Pair this phone with your device'}</h1>
      {linked !== undefined && (
        <Message tone="warn" title="The link has no whole code in it.">
          Scan the code again, or type it.
        </Message>
      )}
      <p>
        Your device shows a code on its display, or has it on its label. Whoever uses the code first
        has the device.
      </p>
      {!isPaired && way === undefined && (
        <p>Then you see here how it is and what it measures, and can send it commands.</p>
      )}
      {way === 'scan' && <Scanner onCode={setRead} />}
      {way === 'type' && <TypeCode onCode={setRead} />}
      <div className={controls['buttons']}>
        {way !== 'scan' && (
          <Button
            kind={way === undefined ? 'main' : 'normal'}
            isWide
            onPress={() => setWay('scan')}
          >
            <Camera size={18} aria-hidden="true" />
            Scan the code
          </Button>
        )}
        {way !== 'type' && (
          <Button isWide onPress={() => setWay('type')}>
            <Keyboard size={18} aria-hidden="true" />
            Type the code
          </Button>
        )}
      </div>
    </section>
  );
}

/** Says what is about to happen: a link could have come from anybody. */
function Agree({
  read,
  isPaired,
  onCancel,
}: {
  readonly read: ReadCode;
  readonly isPaired: boolean;
  readonly onCancel: () => void;
}): ReactNode {
  const queries = useQueryClient();
  const [error, setError] = useState<unknown>();
  const [isBusy, setIsBusy] = useState(false);
  const isInvitation = read.of.startsWith('owner:');
  const act = async (): Promise<void> => {
    setIsBusy(true);
    setError(undefined);
    try {
      await (isPaired ? addDevice(read) : pairPhone(read));
      beginAnew();
      goTo('#/', { replace: true });
      await queries.invalidateQueries();
    } catch (problem) {
      setError(problem);
    } finally {
      setIsBusy(false);
    }
  };
  const what = isInvitation ? 'the devices of somebody who has invited you' : read.of;
  return (
    <section className={controls['stack']}>
      <h1>{isPaired ? `Add ${read.of}?` : `Pair this phone with ${what}?`}</h1>
      <p>
        {isInvitation
          ? 'This phone then sees and commands the same devices as the phone that made the code.'
          : 'You then see what it measures, and can send it commands. Nobody sees what it sent before.'}
      </p>
      {!isPaired && (
        <p className={controls['quiet']}>
          The phone makes a key of its own, which never leaves it. Open this page at least once a
          month: it then stays paired.
        </p>
      )}
      <ProblemBox error={error} />
      <div className={controls['buttons']}>
        <Button kind="main" isWide isDisabled={isBusy} onPress={() => void act()}>
          {isBusy ? 'Asking the server…' : isPaired ? 'Add it' : 'Pair'}
        </Button>
        <Button isWide isDisabled={isBusy} onPress={onCancel}>
          Cancel
        </Button>
      </div>
    </section>
  );
}
