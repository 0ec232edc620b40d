/** After a passkey: how to come in again should it be lost. @module */
import type { RecoveryCodes } from '@holdfast/protocol/api';
import { Button, Stack, Text } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { ask } from '../../api/ask.ts';
import { Message, ProblemMessage } from '../../parts/message.tsx';
import { useAct } from '../../parts/use-act.tsx';
import { OpenFrame } from '../../shell/open-frame.tsx';
import { PasskeyForm } from '../account/passkey-form.tsx';
import { PasswordForm } from '../account/password-form.tsx';

interface WayBackProps {
  readonly name: string;
  readonly hasPassword: boolean;
  readonly onCodes: (codes: readonly string[]) => void;
  readonly onLeave: () => void;
}

/** A password with recovery codes, or a second passkey, or neither, said honestly. */
export function WayBackStep({ name, hasPassword, onCodes, onLeave }: WayBackProps): ReactNode {
  const [way, setWay] = useState<'codes' | 'passkey'>('codes');
  const makeCodes = useAct(() => ask<RecoveryCodes>('/v1/me/recovery-codes', { method: 'POST' }), {
    onDone: ({ recoveryCodes }) => onCodes(recoveryCodes),
  });
  const isByCodes = way === 'codes';
  return (
    <OpenFrame
      title="In case you lose it"
      step="Step 3 of 3"
      intro={
        isByCodes
          ? 'Your passkey is made. A password and ten recovery codes, kept on paper, let you in should it ever be lost.'
          : 'On another device, such as a security key in a drawer. Either of the two lets you in then.'
      }
    >
      {isByCodes && !hasPassword && (
        <PasswordForm
          name={name}
          action="Set it, and show my recovery codes"
          onDone={() => makeCodes.run(undefined)}
        />
      )}
      {isByCodes && hasPassword && (
        <Button loading={makeCodes.isBusy} onClick={() => makeCodes.run(undefined)}>
          Show my recovery codes
        </Button>
      )}
      {!isByCodes && (
        <PasskeyForm
          action="Make a second passkey"
          suggested="spare key"
          isPrimary
          onDone={onLeave}
        />
      )}
      <ProblemMessage error={makeCodes.problem} />
      <Stack gap={4}>
        <Button variant="subtle" onClick={() => setWay(isByCodes ? 'passkey' : 'codes')}>
          {isByCodes ? 'Make a second passkey instead' : 'Use recovery codes instead'}
        </Button>
        <Button variant="subtle" color="gray" onClick={onLeave}>
          Not now
        </Button>
      </Stack>
      <Message tone="calm">
        <Text size="sm">
          Without either, only somebody at the server itself can let you in again, by{' '}
          <code>npx holdfast person reset-factors {name}</code>.
        </Text>
      </Message>
    </OpenFrame>
  );
}
