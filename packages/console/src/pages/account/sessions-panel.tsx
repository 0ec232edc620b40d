/** Where a person is signed in. @module */
import type { SessionView } from '@holdfast/protocol/api';
import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { ask } from '../../api/ask.ts';
import { keyOf, useAsk } from '../../api/use-ask.ts';
import { Badge } from '../../parts/badge.tsx';
import { Loading } from '../../parts/empty.tsx';
import { ProblemMessage } from '../../parts/message.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Time } from '../../parts/time.tsx';
import { useAct } from '../../parts/use-act.tsx';
import { Row, Rows } from './rows.tsx';

const BY: Readonly<Record<SessionView['by'], string>> = {
  'first-code': 'the first code',
  invitation: 'an invitation',
  oidc: 'your organization',
  passkey: 'a passkey',
  password: 'a password',
  'recovery-code': 'a recovery code',
  totp: 'an authenticator app',
};

/** The list; any session but this one can be ended here. */
export function SessionsPanel(): ReactNode {
  const list = useAsk<{ readonly sessions: readonly SessionView[] }>('/v1/me/sessions');
  const end = useAct((id: string) => ask(`/v1/me/sessions/${id}`, { method: 'DELETE' }), {
    changes: [keyOf('/v1/me/sessions')],
  });
  return (
    <Panel
      title="Where you are signed in"
      note="Do you not know one of them? End it, and then replace what you sign in with."
    >
      <ProblemMessage error={list.error ?? end.problem} />
      {list.data === undefined && list.error === null && <Loading what="your sessions" />}
      <Rows>
        {list.data?.sessions.map((session) => (
          <Row
            key={session.id}
            name={
              <>
                {session.address} {session.isCurrent && <Badge tone="info">this one</Badge>}
              </>
            }
            note={
              <>
                signed in by {BY[session.by]} <Time at={session.startedAt} />, last used{' '}
                <Time at={session.lastUsedAt} />
              </>
            }
            action={
              !session.isCurrent && (
                <Button
                  variant="default"
                  loading={end.isBusy}
                  aria-label={`End the session from ${session.address}`}
                  onClick={() => end.run(session.id)}
                >
                  End
                </Button>
              )
            }
          />
        ))}
      </Rows>
    </Panel>
  );
}
