/** Cuts a device off, right where its refusals are. @module */
import { Button } from '@mantine/core';
import { ShieldBan } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { ask } from '../../api/ask.ts';
import { keyOf } from '../../api/use-ask.ts';
import { useMe } from '../../api/use-me.ts';
import { Confirm } from '../../parts/confirm.tsx';
import { ProblemMessage } from '../../parts/message.tsx';
import { useAct } from '../../parts/use-act.tsx';

/** The button; nothing for who may not, and for what is no device. */
export function QuarantineButton({
  device,
  isCompact = false,
}: {
  readonly device: string;
  readonly isCompact?: boolean;
}): ReactNode {
  const me = useMe();
  const [isAsking, setIsAsking] = useState(false);
  const { run, isBusy, problem, result, reset } = useAct(
    (reason: string) =>
      ask(`/v1/devices/${encodeURIComponent(device)}/quarantine`, {
        method: 'POST',
        body: { reason },
      }),
    {
      changes: ['/v1/overview', '/v1/devices', '/v1/refusals/summary'].map(keyOf),
      onDone: () => setIsAsking(false),
    },
  );
  if (me.data?.may?.includes('device:quarantine') !== true) return null;
  const close = (): void => {
    setIsAsking(false);
    reset();
  };
  const isDone = result !== undefined;
  return (
    <>
      <Button
        size={isCompact ? 'compact-sm' : 'sm'}
        variant="default"
        {...(!isDone && { c: 'var(--holdfast-bad)' })}
        leftSection={<ShieldBan size={16} aria-hidden="true" />}
        disabled={isDone}
        onClick={() => setIsAsking(true)}
        aria-label={`Quarantine ${device}`}
      >
        {isDone ? 'Quarantined' : 'Quarantine'}
      </Button>
      <Confirm
        isOpen={isAsking}
        title={`Quarantine ${device}`}
        action="Quarantine"
        asksReason
        isDangerous
        isBusy={isBusy}
        problem={<ProblemMessage error={problem} />}
        onConfirm={run}
        onClose={close}
      >
        Its connections close at once, and it reaches nothing but updates until somebody releases
        it. What it measures meanwhile stays on the device, if it keeps it.
      </Confirm>
    </>
  );
}
