/** The claim by which a device gets its identity: text and QR code, shown once. @module */
import type { ClaimState, ClaimView, ClaimedDevice, DeviceView } from '@holdfast/protocol/api';
import { Button, Group } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { ask } from '../../api/ask.ts';
import { keyOf } from '../../api/use-ask.ts';
import { CodeBlock, CopyText } from '../../parts/copy.tsx';
import { DeviceState } from '../../parts/device-state.tsx';
import { Message, ProblemMessage } from '../../parts/message.tsx';
import { Panel } from '../../parts/panel.tsx';
import { QrCode } from '../../parts/qr-code.tsx';
import { Time } from '../../parts/time.tsx';
import { type ActState, useAct } from '../../parts/use-act.tsx';
import { type UsedClaim, usedClaim } from './used-claim.ts';
import styles from './welcome.module.css';

interface ClaimPanelProps {
  readonly device: DeviceView;
  /** There only right after it was made. */
  readonly claim: ClaimView | undefined;
  /** How the last claim stands, as far as the server has told. */
  readonly state: ClaimState | undefined;
  readonly onClaimed: (claimed: ClaimedDevice) => void;
  readonly onAnother: () => void;
}

/** The claim, what became of it, or how to get another one. */
export function ClaimPanel({
  device,
  claim,
  state,
  onClaimed,
  onAnother,
}: ClaimPanelProps): ReactNode {
  const { id } = device;
  const renew = useAct(() => ask<ClaimedDevice>(`/v1/devices/${id}/claim`, { method: 'POST' }), {
    changes: [keyOf(`/v1/devices/${id}`)],
    onDone: onClaimed,
  });
  const used = usedClaim(claim, state);
  return (
    <Panel
      title="1. Its claim"
      note={`${id}, a device of class ${device.class}.`}
      actions={<DeviceState state={device.state} />}
    >
      <div aria-live="polite">
        {used !== undefined && <Used id={id} used={used} renew={renew} onAnother={onAnother} />}
        {used === undefined && claim === undefined && (
          <Unseen id={id} state={state} renew={renew} />
        )}
        {used === undefined && claim !== undefined && <Shown id={id} claim={claim} />}
      </div>
      <ProblemMessage error={renew.problem} />
    </Panel>
  );
}

type Renew = ActState<undefined, ClaimedDevice>;

function Shown({ id, claim }: { readonly id: string; readonly claim: ClaimView }): ReactNode {
  return (
    <div className={styles['claim']}>
      <QrCode text={claim.text} label={`QR code of the claim of ${id}`} />
      <div className={styles['stack']}>
        <CodeBlock code={claim.text} label="the claim" />
        <Message tone="warn" title="A claim is a secret until it is used.">
          Whoever has it first is {id}. It works once, expires <Time at={claim.expiresAt} />, and is
          shown only now. Do not send it by mail or chat.
        </Message>
      </div>
    </div>
  );
}

function Used({
  id,
  used: { usedAt, certificate },
  renew,
  onAnother,
}: {
  readonly id: string;
  readonly used: UsedClaim;
  readonly renew: Renew;
  readonly onAnother: () => void;
}): ReactNode {
  return (
    <div className={styles['stack']}>
      <Message tone="good" title={`Its claim is used: ${id} has enrolled with it.`}>
        That was <Time at={usedAt} />. Nobody gets in by this claim any more. The certificate that
        it got:{' '}
        <CopyText
          value={certificate}
          shown={`${certificate.slice(0, FINGERPRINT_SHOWN)}…`}
          label="the fingerprint"
        />
      </Message>
      <p className={styles['hint']}>
        Was that not your device? Then somebody else had its claim:{' '}
        <Link to={`/devices/${encodeURIComponent(id)}`}>revoke {id}</Link>, and make a new one.
        Otherwise a new one is for enrolling {id} again, such as after its keys were lost.
      </p>
      <Group gap="xs">
        <Button onClick={onAnother}>Claim for another device</Button>
        <Button variant="default" loading={renew.isBusy} onClick={() => renew.run(undefined)}>
          New claim for {id}
        </Button>
      </Group>
    </div>
  );
}

function Unseen({
  id,
  state,
  renew,
}: {
  readonly id: string;
  readonly state: ClaimState | undefined;
  readonly renew: Renew;
}): ReactNode {
  return (
    <div className={styles['stack']}>
      <p className={styles['text']}>
        A claim is shown once, when it is made.{' '}
        {state !== undefined && (
          <>
            That of {id} is not used yet; its time ends <Time at={state.expiresAt} />.{' '}
          </>
        )}
        Is it lost, or not in your hands? Make another; the one before is void then.
      </p>
      <div>
        <Button variant="default" loading={renew.isBusy} onClick={() => renew.run(undefined)}>
          Make a new claim
        </Button>
      </div>
    </div>
  );
}

const FINGERPRINT_SHOWN = 16;
