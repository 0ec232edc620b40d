/** The second step after a password. @module */
import type { Me } from '@holdfast/protocol/api';
import { Button, Group, Stack, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { ask } from '../../api/ask.ts';
import { ProblemMessage } from '../../parts/message.tsx';
import { useAct } from '../../parts/use-act.tsx';
import { OpenFrame } from '../../shell/open-frame.tsx';

/** Asks for the code. */
export function CodeStep({
  pending,
  onBack,
  onDone,
}: {
  /** What the right password gave. */
  readonly pending: string;
  readonly onBack: () => void;
  readonly onDone: (me: Me) => void;
}): ReactNode {
  const [code, setCode] = useState('');
  const finish = useAct((body: object) => ask<Me>('/v1/sign-in/code', { method: 'POST', body }), {
    onDone,
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    finish.run({ pending, code: code.trim() });
  };
  return (
    <OpenFrame
      title="Your second factor"
      intro="Six digits of your authenticator app, or one of your recovery codes."
    >
      <form onSubmit={submit}>
        <Stack gap="md">
          <TextInput
            label="Code"
            value={code}
            autoComplete="one-time-code"
            autoCapitalize="characters"
            spellCheck={false}
            maxLength={64}
            required
            withAsterisk={false}
            autoFocus
            onChange={(event) => setCode(event.currentTarget.value)}
          />
          <ProblemMessage error={finish.problem} />
          <Group justify="space-between">
            <Button variant="default" onClick={onBack}>
              Back
            </Button>
            <Button type="submit" disabled={code.trim() === ''} loading={finish.isBusy}>
              Sign in
            </Button>
          </Group>
        </Stack>
      </form>
    </OpenFrame>
  );
}
