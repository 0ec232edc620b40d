import type { PersonView } from '@holdfast/protocol/api';
/** People with what can be done about them. @module */
import { ActionIcon, Menu, Table } from '@mantine/core';
import { EllipsisVertical } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { Badge } from '../../parts/badge.tsx';
import { Time } from '../../parts/time.tsx';
import type { Tone } from '../../parts/tone.ts';
import { PersonActDialog } from './person-act-dialog.tsx';
import { PERSON_ACTS, type PersonAct } from './person-acts.ts';
import { roleText } from './roles.ts';

const STATE_TONES: Readonly<Record<PersonView['state'], Tone>> = {
  invited: 'info',
  active: 'good',
  disabled: 'warn',
};

const FACTOR_WORDS: Readonly<Record<PersonView['factors'][number], string>> = {
  password: 'password',
  totp: 'authenticator app',
  passkey: 'passkey',
  oidc: 'organization',
};

interface Wish {
  readonly person: PersonView;
  readonly act: PersonAct;
}

/** The table. */
export function PeopleTable({
  people,
  own,
}: {
  readonly people: readonly PersonView[];
  /** The name of who looks. */
  readonly own: string;
}): ReactNode {
  const [wish, setWish] = useState<Wish | undefined>();
  return (
    <>
      <Table.ScrollContainer minWidth={640}>
        <Table verticalSpacing="xs" horizontalSpacing="lg">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Name</Table.Th>
              <Table.Th>Role</Table.Th>
              <Table.Th>State</Table.Th>
              <Table.Th>Signs in with</Table.Th>
              <Table.Th>Since</Table.Th>
              <Table.Th aria-label="Acts" />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {people.map((person) => (
              <Table.Tr key={person.name}>
                <Table.Td data-label="Name">
                  <strong>{person.name}</strong>
                  {person.name === own && ' (you)'}
                </Table.Td>
                <Table.Td data-label="Role">{roleText(person.role)}</Table.Td>
                <Table.Td data-label="State">
                  <Badge tone={STATE_TONES[person.state]}>{person.state}</Badge>
                </Table.Td>
                <Table.Td data-label="Signs in">
                  <SignsInWith person={person} />
                </Table.Td>
                <Table.Td data-label="Since">
                  <Time at={person.createdAt} />
                </Table.Td>
                <Table.Td>
                  <PersonMenu person={person} onAct={(act) => setWish({ person, act })} />
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <PersonActDialog
        {...(wish && { person: wish.person, act: wish.act })}
        onClose={() => setWish(undefined)}
      />
    </>
  );
}

function SignsInWith({ person }: { readonly person: PersonView }): ReactNode {
  if (person.state === 'invited') {
    return (
      <>
        Invitation ends <Time at={person.invitedUntil} />
      </>
    );
  }
  return person.factors.map((factor) => FACTOR_WORDS[factor]).join(', ') || 'nothing yet';
}

function PersonMenu({
  person,
  onAct,
}: {
  readonly person: PersonView;
  readonly onAct: (act: PersonAct) => void;
}): ReactNode {
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={`Acts on ${person.name}`}>
          <EllipsisVertical size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {PERSON_ACTS.filter(({ isFor }) => isFor(person)).map((act) => (
          <Menu.Item key={act.name} onClick={() => onAct(act)}>
            {act.label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
