import type { Factors } from '@holdfast/protocol/api';
/** Shows a second factor again: dangerous acts ask for one within five minutes. @module */
import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { ask } from '../api/ask.ts';
import { knowsPasskeys, usedPasskey } from '../api/passkey.ts';
import { problemOf } from '../api/problem.ts';
import { useAsk } from '../api/use-ask.ts';
import { ProblemMessage } from './message.tsx';

interface DialogProps {
  readonly isOpen: boolean;
  readonly onDone: (isDone: boolean) => void;
}

/** The dialog. */
export function StepUpDialog({ isOpen, onDone }: DialogProps): ReactNode {
  return (
    <Modal opened={isOpen} onClose={() => onDone(false)} title="Show that it is you">
      {isOpen && <StepUpForm onDone={onDone} />}
    </Modal>
  );
}

function StepUpForm({ onDone }: Pick<DialogProps, 'onDone'>): ReactNode {
  const factors = useAsk<Factors>('/v1/me/factors');
  const [code, setCode] = useState('');
  const [error, setError] = useState<unknown>();
  const [isBusy, setIsBusy] = useState(false);
  const attempt = async (proof: () => Promise<object>): Promise<void> => {
    setIsBusy(true);
    setError(undefined);
    try {
      await ask('/v1/step-up', { method: 'POST', body: await proof() });
      onDone(true);
    } catch (error) {
      setError(problemOf(error));
    } finally {
      setIsBusy(false);
    }
  };
  const byPasskey = async (): Promise<object> => ({
    credential: await usedPasskey(await ask('/v1/step-up/options', { method: 'POST' })),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void attempt(() => Promise.resolve({ code: code.trim() }));
  };
  const hasCodes = factors.data?.hasTotp === true || factors.data?.hasPassword === true;
  const hasPasskey = (factors.data?.passkeys.length ?? 0) > 0 && knowsPasskeys();
  return (
    <Stack gap="md">
      <Text size="sm">
        What you are about to do has lasting effects, so the server asks again. It counts for five
        minutes.
      </Text>
      <ProblemMessage error={factors.error ?? error} />
      {hasPasskey && (
        <Button loading={isBusy} onClick={() => void attempt(byPasskey)} data-autofocus>
          Use your passkey
        </Button>
      )}
      {factors.data !== undefined && !hasPasskey && !hasCodes && (
        <Text size="sm">
          You have no second factor here. Sign in{' '}
          <a href="/v1/sign-in/oidc">at your organization</a> again, and within five minutes{' '}
          <a href="/account">add a passkey</a>.
        </Text>
      )}
      {hasCodes && (
        <form onSubmit={submit}>
          <Group align="end">
            <TextInput
              label="Code of your authenticator app, or a recovery code"
              value={code}
              autoComplete="one-time-code"
              maxLength={64}
              onChange={(event) => setCode(event.currentTarget.value)}
            />
            <Button type="submit" variant="default" disabled={code.trim() === ''} loading={isBusy}>
              Continue
            </Button>
          </Group>
        </form>
      )}
    </Stack>
  );
}
