/** One reading: its exact bytes, and its proof. @module */
import type { DevicePossibility, ReadingView } from '@holdfast/protocol/api';
import { Drawer, SegmentedControl, Stack } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { CodeBlock } from '../../../parts/copy.tsx';
import { Fact, Facts } from '../../../parts/facts.tsx';
import { exactText } from '../../../parts/time-text.ts';
import { Time } from '../../../parts/time.tsx';
import { counterOf, hexDump, signedTimeOf } from './payload.ts';
import { ReadingProof } from './reading-proof.tsx';
import styles from './reading-drawer.module.css';

/** Bytes that were no text are replaced by this character on the way to the page. */
const REPLACED = '\uFFFD';

/** The drawer; closed without a reading. */
export function ReadingDrawer({
  reading,
  mayProve,
  onClose,
}: {
  readonly reading: ReadingView | undefined;
  readonly mayProve: DevicePossibility | undefined;
  readonly onClose: () => void;
}): ReactNode {
  return (
    <Drawer
      opened={reading !== undefined}
      onClose={onClose}
      position="right"
      size="40rem"
      title={reading === undefined ? '' : `Reading at entry ${reading.index}`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {reading !== undefined && (
        <OneReading key={reading.index} reading={reading} mayProve={mayProve} />
      )}
    </Drawer>
  );
}

function OneReading({
  reading,
  mayProve,
}: {
  readonly reading: ReadingView;
  readonly mayProve: DevicePossibility | undefined;
}): ReactNode {
  const { index, at, topic, kid, payload } = reading;
  const [exact, setExact] = useState<Uint8Array | undefined>();
  const signedTime = signedTimeOf(payload);
  return (
    <Stack gap="lg">
      <Facts>
        <Fact name="Taken in">
          <Time at={at} />, {exactText(new Date(at))}
        </Fact>
        {signedTime !== undefined && <Fact name="Time it signed">{signedTime}</Fact>}
        <Fact name="Topic">
          <code>{topic}</code>
        </Fact>
        <Fact name="Counter">{counterOf(payload) ?? 'not in the payload'}</Fact>
        <Fact name="Signed with">
          <code>{kid}</code>, the payload key of the device (epoch.generation)
        </Fact>
        <Fact name="Entry">{index} of the audit log</Fact>
      </Facts>
      <Bytes payload={payload} exact={exact} />
      <ReadingProof reading={reading} mayProve={mayProve} onExactBytes={setExact} />
    </Stack>
  );
}

function Bytes({
  payload,
  exact,
}: {
  readonly payload: string;
  readonly exact: Uint8Array | undefined;
}): ReactNode {
  const [form, setForm] = useState('text');
  const bytes = exact ?? new TextEncoder().encode(payload);
  const isReplaced = exact === undefined && payload.includes(REPLACED);
  return (
    <section>
      <header className={styles['header']}>
        <h3 className={styles['title']}>Exact signed bytes</h3>
        <SegmentedControl
          size="xs"
          value={form}
          onChange={setForm}
          data={[
            { value: 'text', label: 'Text' },
            { value: 'hex', label: 'Hex' },
          ]}
          aria-label="How the bytes are shown"
        />
      </header>
      <CodeBlock
        code={form === 'text' ? payload : hexDump(bytes)}
        label={`the payload as ${form}`}
        isWrapped={form === 'text'}
      />
      <p className={styles['note']}>
        {bytes.length} bytes, as the device sent them.
        {isReplaced &&
          ' Some of them are no text and are shown as a replacement here: check the proof below, and the exact ones are shown.'}
      </p>
    </section>
  );
}
