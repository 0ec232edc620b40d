/** Sets a new password. @module */
import { Button, PasswordInput, Stack } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { ask } from '../../api/ask.ts';
import { ProblemMessage } from '../../parts/message.tsx';
import { useAct } from '../../parts/use-act.tsx';
import { PASSWORD_CHARACTERS } from './password-length.ts';

/** A form with one field. */
export function PasswordForm({
  name,
  action,
  onDone,
}: {
  /** Whose it is: password managers want to know. */
  readonly name: string;
  /** The word on the button. */
  readonly action: string;
  readonly onDone: () => void;
}): ReactNode {
  const [password, setPassword] = useState('');
  const { min, max } = PASSWORD_CHARACTERS;
  const set = useAct((body: object) => ask('/v1/me/password', { method: 'POST', body }), {
    onDone: () => {
      setPassword('');
      onDone();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    set.run({ password });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <input type="text" value={name} autoComplete="username" readOnly hidden />
        <PasswordInput
          label="New password"
          description={`${min} characters or more. Four or five words that nobody would guess together.`}
          value={password}
          autoComplete="new-password"
          minLength={min}
          maxLength={max}
          required
          withAsterisk={false}
          visibilityToggleButtonProps={{ 'aria-label': 'Show what is typed' }}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <ProblemMessage error={set.problem} />
        <Button type="submit" disabled={password.length < min} loading={set.isBusy}>
          {action}
        </Button>
      </Stack>
    </form>
  );
}
