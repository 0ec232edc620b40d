import type { Invitation, PersonRole } from '@holdfast/protocol/api';
/** Invites a person. @module */
import { Stack, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { ask } from '../../api/ask.ts';
import { keyOf } from '../../api/use-ask.ts';
import { Dialog, DialogButtons, type DialogProps } from '../../parts/dialog.tsx';
import { ProblemMessage } from '../../parts/message.tsx';
import { useAct } from '../../parts/use-act.tsx';
import { InvitationShown } from './invitation-shown.tsx';
import { RoleChoice } from './role-choice.tsx';

/** The dialog: first the form, then the link. */
export function InviteDialog(props: DialogProps): ReactNode {
  return (
    <Dialog title="Invite a person" {...props}>
      <InviteForm onClose={props.onClose} />
    </Dialog>
  );
}

function InviteForm({ onClose }: Pick<DialogProps, 'onClose'>): ReactNode {
  const [name, setName] = useState('');
  const [role, setRole] = useState<PersonRole>('viewer');
  const invite = useAct(
    () => ask<Invitation>('/v1/people', { method: 'POST', body: { name: name.trim(), role } }),
    { changes: [keyOf('/v1/people')] },
  );
  if (invite.result !== undefined) return <InvitationShown invitation={invite.result} />;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    invite.run(undefined);
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <TextInput
          label="Name"
          description="As it will stand on the audit log; letters, digits, dots and hyphens."
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          maxLength={64}
          autoComplete="off"
          spellCheck={false}
          required
          data-autofocus
        />
        <RoleChoice value={role} onChange={setRole} />
        <ProblemMessage error={invite.problem} />
        <DialogButtons
          action="Invite"
          isBusy={invite.isBusy}
          isDisabled={name.trim() === ''}
          onClose={onClose}
        />
      </Stack>
    </form>
  );
}
