/** The first operator of a new server says their name. @module */
import type { Me } from '@holdfast/protocol/api';
import { Button, Stack, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { ask } from '../../api/ask.ts';
import { Message, ProblemMessage } from '../../parts/message.tsx';
import { useAct } from '../../parts/use-act.tsx';
import { OpenFrame } from '../../shell/open-frame.tsx';

/** @param code - it came behind the `#` of the link, and is used when the button is pressed. */
export function FirstStep({
  code,
  onDone,
}: {
  readonly code: string;
  readonly onDone: (me: Me, first: 'first') => void;
}): ReactNode {
  const [name, setName] = useState('');
  const first = useAct((body: object) => ask<Me>('/v1/sign-in/first', { method: 'POST', body }), {
    onDone: (me) => onDone(me, 'first'),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    first.run({ code, name: name.trim() });
  };
  const isVoid = first.problem?.code === 'E_OPERATE_SIGN_IN';
  return (
    <OpenFrame
      title="Welcome to your server"
      step="Step 1 of 3"
      intro="You opened its one-time link, so you become its first administrator. What may others call you?"
      foot="The link works once. Nobody else ever needs it from you, whatever a message says."
    >
      <form onSubmit={submit}>
        <Stack gap="md">
          <TextInput
            label="Your name"
            description="It stands on the audit log beside what you do. A word, such as ada."
            value={name}
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            maxLength={64}
            required
            withAsterisk={false}
            data-autofocus
            onChange={(event) => setName(event.currentTarget.value)}
          />
          {isVoid ? (
            <Message tone="bad" title="This link is void.">
              It works once, and each start of the server makes another one. Was it you who used it?
              Then <a href="/sign-in">sign in</a>. Otherwise look at the terminal of the server: run{' '}
              <code>npx holdfast audit acts</code> there, and see who came before you.
            </Message>
          ) : (
            <ProblemMessage error={first.problem} />
          )}
          <Button type="submit" disabled={name.trim() === ''} loading={first.isBusy} fullWidth>
            Continue
          </Button>
        </Stack>
      </form>
    </OpenFrame>
  );
}
