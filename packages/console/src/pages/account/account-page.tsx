/** A person's own sign-in: what they come in with, and where they are signed in. @module */
import type { Factors } from '@holdfast/protocol/api';
import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { ask } from '../../api/ask.ts';
import { useAsk } from '../../api/use-ask.ts';
import { useMe } from '../../api/use-me.ts';
import { useMethods } from '../../api/use-methods.ts';
import { Loading } from '../../parts/empty.tsx';
import { ProblemMessage } from '../../parts/message.tsx';
import { Page } from '../../parts/page.tsx';
import { personName } from '../../parts/person-name.ts';
import { useAct } from '../../parts/use-act.tsx';
import { leave } from '../../shell/leave.ts';
import { PasskeysPanel } from './passkeys-panel.tsx';
import { PasswordPanel } from './password-panel.tsx';
import { RecoveryPanel } from './recovery-panel.tsx';
import { SessionsPanel } from './sessions-panel.tsx';
import { StepUpPanel } from './step-up-panel.tsx';

/** The page. */
export function AccountPage(): ReactNode {
  const me = useMe();
  const factors = useAsk<Factors>('/v1/me/factors');
  const { obstacle = '' } = useMethods();
  const signOut = useAct(() => ask('/v1/sign-out', { method: 'POST' }), {
    onDone: leave,
  });
  const name = personName(me.data?.principal ?? '');
  const role = me.data?.role.replaceAll('-', ' ') ?? '';
  return (
    <Page
      title="Your sign-in"
      intro={`You are ${name} (${role}).`}
      actions={
        <Button variant="default" loading={signOut.isBusy} onClick={() => signOut.run(undefined)}>
          Sign out
        </Button>
      }
    >
      <ProblemMessage error={factors.error ?? signOut.problem} />
      {factors.data === undefined || me.data === undefined ? (
        <Loading what="what you sign in with" />
      ) : (
        <>
          <StepUpPanel me={me.data} factors={factors.data} obstacle={obstacle} />
          <PasskeysPanel factors={factors.data} obstacle={obstacle} />
          <PasswordPanel name={name} factors={factors.data} />
          <RecoveryPanel factors={factors.data} />
        </>
      )}
      <SessionsPanel />
    </Page>
  );
}
