/** Redeems an invitation, when somebody presses the button. @module */
import type { Me } from '@holdfast/protocol/api';
import { Button, Stack, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { ask } from '../../api/ask.ts';
import { Message, ProblemMessage } from '../../parts/message.tsx';
import { useAct } from '../../parts/use-act.tsx';

/** @param invitation - the code of a link; empty where it is to be typed. */
export function InvitationForm({
  invitation,
  onDone,
}: {
  readonly invitation: string;
  readonly onDone: (me: Me) => void;
}): ReactNode {
  const [code, setCode] = useState(invitation);
  const redeem = useAct(
    (body: object) => ask<Me>('/v1/sign-in/invitation', { method: 'POST', body }),
    { onDone },
  );
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    redeem.run({ code: code.trim() });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        {invitation !== '' && (
          // What looks at links in mails must not use it up, so a person has to press the button.
          <Message tone="info" title="You are invited.">
            Press “Join” to set up how you sign in.
          </Message>
        )}
        <TextInput
          label="Code of the invitation"
          value={code}
          autoComplete="off"
          autoCapitalize="characters"
          spellCheck={false}
          maxLength={64}
          required
          withAsterisk={false}
          onChange={(event) => setCode(event.currentTarget.value)}
        />
        <ProblemMessage error={redeem.problem} />
        <Button
          type="submit"
          variant={invitation === '' ? 'default' : 'filled'}
          disabled={code.trim() === ''}
          loading={redeem.isBusy}
          fullWidth
        >
          Join
        </Button>
      </Stack>
    </form>
  );
}
