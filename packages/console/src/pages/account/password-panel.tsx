/** A person's password and authenticator app. @module */
import type { Factors } from '@holdfast/protocol/api';
import { Button, Group } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { ask } from '../../api/ask.ts';
import { keyOf } from '../../api/use-ask.ts';
import { Confirm } from '../../parts/confirm.tsx';
import { Message, ProblemMessage } from '../../parts/message.tsx';
import { Panel } from '../../parts/panel.tsx';
import { useAct } from '../../parts/use-act.tsx';
import { AuthenticatorForm } from './authenticator-form.tsx';
import { PasswordForm } from './password-form.tsx';
import { RecoveryCodesDialog } from './recovery-dialog.tsx';
import { BelowRows, Row, Rows } from './rows.tsx';

interface PasswordPanelProps {
  readonly name: string;
  readonly factors: Factors;
}

/** What there is of the two, and a form for a new one. */
export function PasswordPanel({ name, factors }: PasswordPanelProps): ReactNode {
  const { hasPassword, hasTotp } = factors;
  const [form, setForm] = useState<'' | 'password' | 'app'>('');
  const [codes, setCodes] = useState<readonly string[]>([]);
  const [said, setSaid] = useState('');
  const queries = useQueryClient();
  const done = (what: string, fresh: readonly string[] = []): void => {
    setForm('');
    setCodes(fresh);
    setSaid(`${what} Other sessions of yours have ended.`);
    void queries.invalidateQueries({ queryKey: keyOf('/v1/me') });
  };
  return (
    <Panel
      title="Password and authenticator app"
      note="The two belong together: neither alone signs anybody in."
    >
      <Rows>
        <Row
          name="Password"
          note={hasPassword ? 'You have one.' : 'You have none.'}
          action={
            <Button variant="default" onClick={() => setForm('password')}>
              {hasPassword ? 'Change the password' : 'Set a password'}
            </Button>
          }
        />
        <Row
          name="Authenticator app"
          note={hasTotp ? 'It is set up.' : 'None is set up.'}
          action={
            <Group gap="xs">
              <Button variant="default" onClick={() => setForm('app')}>
                {hasTotp ? 'Set up another app' : 'Set up an authenticator app'}
              </Button>
              {hasTotp && <RemoveApp />}
            </Group>
          }
        />
      </Rows>
      {form === 'password' && (
        <BelowRows>
          <PasswordForm
            name={name}
            action="Set the password"
            onDone={() => done('The password is set.')}
          />
        </BelowRows>
      )}
      {form === 'app' && (
        <BelowRows>
          <AuthenticatorForm onDone={(fresh) => done('The authenticator app is set up.', fresh)} />
        </BelowRows>
      )}
      {said !== '' && <Message tone="good">{said}</Message>}
      <RecoveryCodesDialog codes={codes} onKept={() => setCodes([])} />
    </Panel>
  );
}

function RemoveApp(): ReactNode {
  const [isAsking, setIsAsking] = useState(false);
  const remove = useAct(() => ask('/v1/me/totp', { method: 'DELETE' }), {
    changes: [keyOf('/v1/me')],
    onDone: () => setIsAsking(false),
  });
  return (
    <>
      <Button variant="default" c="var(--holdfast-bad)" onClick={() => setIsAsking(true)}>
        Remove the app
      </Button>
      <Confirm
        isOpen={isAsking}
        title="Remove the authenticator app"
        action="Remove"
        isDangerous
        isBusy={remove.isBusy}
        problem={<ProblemMessage error={remove.problem} />}
        onConfirm={() => remove.run(undefined)}
        onClose={() => setIsAsking(false)}
      >
        Its codes sign you in no more, and your other sessions end.
      </Confirm>
    </>
  );
}
