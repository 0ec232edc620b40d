import type { Me, PersonView } from '@holdfast/protocol/api';
/** Who may come in: people, invitations, sessions. @module */
import { Button } from '@mantine/core';
import { UserPlus } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { useAsk } from '../../api/use-ask.ts';
import { useMe } from '../../api/use-me.ts';
import { Empty, Loading } from '../../parts/empty.tsx';
import { ProblemMessage } from '../../parts/message.tsx';
import { Page } from '../../parts/page.tsx';
import { Panel } from '../../parts/panel.tsx';
import { personName } from '../../parts/person-name.ts';
import { InviteDialog } from './invite-dialog.tsx';
import { PeopleTable } from './people-table.tsx';
import { SessionsPanel } from './sessions-panel.tsx';

/** The page. */
export function PeoplePage(): ReactNode {
  const me = useMe();
  const people = useAsk<{ people: PersonView[] }>('/v1/people');
  const [isInviting, setIsInviting] = useState(false);
  return (
    <Page
      title="People"
      intro="Everybody signs in as themselves, with a passkey or with a password and a second factor. What they do is on the audit log with their name."
      actions={
        <Button leftSection={<UserPlus size={16} />} onClick={() => setIsInviting(true)}>
          Invite a person
        </Button>
      }
    >
      <ProblemMessage error={people.error} />
      <Panel title="People" isFlush>
        <PeopleList me={me.data} people={people.data?.people} hasFailed={people.isError} />
      </Panel>
      <SessionsPanel />
      <InviteDialog isOpen={isInviting} onClose={() => setIsInviting(false)} />
    </Page>
  );
}

function PeopleList({
  me,
  people,
  hasFailed,
}: {
  readonly me: Me | undefined;
  readonly people: readonly PersonView[] | undefined;
  readonly hasFailed: boolean;
}): ReactNode {
  if (people === undefined) return hasFailed ? null : <Loading what="the people" />;
  if (people.length === 0) {
    return (
      <Empty title="Nobody has been invited yet.">
        A second administrator is a good idea: who loses all their factors cannot let themselves in.
      </Empty>
    );
  }
  return <PeopleTable people={people} own={personName(me?.principal ?? '')} />;
}
