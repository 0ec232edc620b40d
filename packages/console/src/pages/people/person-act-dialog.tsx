import type { Invitation, PersonRole, PersonView } from '@holdfast/protocol/api';
/** Does one thing about a person, after asking. @module */
import { Modal } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { ask } from '../../api/ask.ts';
import { keyOf } from '../../api/use-ask.ts';
import { Confirm } from '../../parts/confirm.tsx';
import { ProblemMessage } from '../../parts/message.tsx';
import { useAct } from '../../parts/use-act.tsx';
import { InvitationShown } from './invitation-shown.tsx';
import type { PersonAct } from './person-acts.ts';
import { RoleChoice } from './role-choice.tsx';

interface DialogProps {
  readonly person?: PersonView;
  readonly act?: PersonAct;
  readonly onClose: () => void;
}

/** The dialog; nothing while no act is chosen. */
export function PersonActDialog({ person, act, onClose }: DialogProps): ReactNode {
  if (person === undefined || act === undefined) return null;
  return (
    <ActDialog key={`${person.name}/${act.name}`} person={person} act={act} onClose={onClose} />
  );
}

function ActDialog({ person, act, onClose }: Required<DialogProps>): ReactNode {
  const [role, setRole] = useState<PersonRole>(person.role);
  const [invitation, setInvitation] = useState<Invitation | undefined>();
  const { run, isBusy, problem } = useAct(() => request(person, act, role), {
    changes: [keyOf('/v1/people'), keyOf('/v1/sessions')],
    onDone: (answer) => {
      if (isInvitation(answer)) setInvitation(answer);
      else onClose();
    },
  });
  if (invitation !== undefined) {
    return (
      <Modal opened onClose={onClose} title={`A new invitation for ${person.name}`}>
        <InvitationShown invitation={invitation} />
      </Modal>
    );
  }
  return (
    <Confirm
      isOpen
      title={`${act.label.replace('…', '')}: ${person.name}`}
      action={act.name === 'role' ? 'Change' : act.label.replace('…', '')}
      isDangerous={act.isDangerous}
      {...(act.name === 'remove' && { typed: person.name })}
      isBusy={isBusy}
      problem={<ProblemMessage error={problem} />}
      onConfirm={() => run(undefined)}
      onClose={onClose}
    >
      {act.name === 'role' && <RoleChoice value={role} onChange={setRole} />}
      <p>{act.effect}</p>
    </Confirm>
  );
}

function request(
  { name }: PersonView,
  { name: act }: PersonAct,
  role: PersonRole,
): Promise<unknown> {
  const path = `/v1/people/${encodeURIComponent(name)}`;
  if (act === 'remove') return ask(path, { method: 'DELETE' });
  return ask(`${path}/${act}`, { method: 'POST', body: act === 'role' ? { role } : {} });
}

function isInvitation(answer: unknown): answer is Invitation {
  return typeof answer === 'object' && answer !== null && 'link' in answer;
}
