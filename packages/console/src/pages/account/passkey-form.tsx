/** Makes a passkey. @module */
import type { RecoveryCodes } from '@holdfast/protocol/api';
import { Button, Stack, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { ask } from '../../api/ask.ts';
import { newPasskey } from '../../api/passkey.ts';
import { ProblemMessage } from '../../parts/message.tsx';
import { useAct } from '../../parts/use-act.tsx';

/** Asks for its name, and then the authenticator. */
export function PasskeyForm({
  action,
  suggested = 'this device',
  isPrimary = false,
  onDone,
}: {
  /** The word on the button. */
  readonly action: string;
  readonly suggested?: string;
  readonly isPrimary?: boolean;
  /** Hears the recovery codes, where there were none before and there is a password. */
  readonly onDone: (codes: readonly string[]) => void;
}): ReactNode {
  const [name, setName] = useState(suggested);
  const add = useAct(
    async (passkeyName: string) => {
      const credential = await newPasskey(
        await ask<object>('/v1/me/passkey-options', { method: 'POST' }),
      );
      const body = { name: passkeyName, credential };
      return ask<RecoveryCodes>('/v1/me/passkeys', { method: 'POST', body });
    },
    { onDone: ({ recoveryCodes }) => onDone(recoveryCodes) },
  );
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    add.run(name.trim());
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <TextInput
          label="What to call it"
          description="To recognize it in the list of your passkeys."
          value={name}
          autoComplete="off"
          maxLength={64}
          required
          withAsterisk={false}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <ProblemMessage error={add.problem} />
        <Button
          type="submit"
          variant={isPrimary ? 'filled' : 'default'}
          disabled={name.trim() === ''}
          loading={add.isBusy}
        >
          {action}
        </Button>
      </Stack>
    </form>
  );
}
