/** A person's passkeys. @module */
import type { Factors, PasskeyView } from '@holdfast/protocol/api';
import { Button } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { ask } from '../../api/ask.ts';
import { keyOf } from '../../api/use-ask.ts';
import { Confirm } from '../../parts/confirm.tsx';
import { Message, ProblemMessage } from '../../parts/message.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Time } from '../../parts/time.tsx';
import { useAct } from '../../parts/use-act.tsx';
import { PasskeyForm } from './passkey-form.tsx';
import { RecoveryCodesDialog } from './recovery-dialog.tsx';
import { BelowRows, Row, Rows } from './rows.tsx';

/** The list, and a form for another one. */
export function PasskeysPanel({
  factors: { passkeys },
  obstacle,
}: {
  readonly factors: Factors;
  readonly obstacle: string;
}): ReactNode {
  const [isAdding, setIsAdding] = useState(false);
  const [codes, setCodes] = useState<readonly string[]>([]);
  const [said, setSaid] = useState('');
  const queries = useQueryClient();
  const onAdded = (fresh: readonly string[]): void => {
    setIsAdding(false);
    setCodes(fresh);
    setSaid('The passkey is added. Other sessions of yours have ended.');
    void queries.invalidateQueries({ queryKey: keyOf('/v1/me') });
  };
  return (
    <Panel
      title="Passkeys"
      note="Your phone, your laptop or a security key: the safest way in. Two of them, or recovery codes, keep you from being locked out."
      actions={
        obstacle === '' &&
        !isAdding && (
          <Button variant="default" size="sm" onClick={() => setIsAdding(true)}>
            Add a passkey
          </Button>
        )
      }
    >
      {obstacle !== '' && <Message>{obstacle}</Message>}
      {passkeys.length > 0 ? (
        <Rows>
          {passkeys.map((passkey) => (
            <PasskeyRow key={passkey.id} passkey={passkey} />
          ))}
        </Rows>
      ) : (
        obstacle === '' && <span>You have none yet.</span>
      )}
      {isAdding && (
        <BelowRows>
          <PasskeyForm action="Add this passkey" isPrimary onDone={onAdded} />
        </BelowRows>
      )}
      {said !== '' && <Message tone="good">{said}</Message>}
      <RecoveryCodesDialog codes={codes} onKept={() => setCodes([])} />
    </Panel>
  );
}

function PasskeyRow({ passkey }: { readonly passkey: PasskeyView }): ReactNode {
  const { id, name, createdAt, lastUsedAt, isSynced } = passkey;
  const [isAsking, setIsAsking] = useState(false);
  const remove = useAct(() => ask(`/v1/me/passkeys/${id}`, { method: 'DELETE' }), {
    changes: [keyOf('/v1/me')],
    onDone: () => setIsAsking(false),
  });
  const note = (
    <>
      {isSynced ? 'synced' : 'on one device'}, added <Time at={createdAt} />,{' '}
      {lastUsedAt === undefined ? (
        'not used yet'
      ) : (
        <>
          last used <Time at={lastUsedAt} />
        </>
      )}
    </>
  );
  return (
    <>
      <Row
        name={name}
        note={note}
        action={
          <Button
            variant="default"
            c="var(--holdfast-bad)"
            aria-label={`Remove the passkey ${name}`}
            onClick={() => setIsAsking(true)}
          >
            Remove
          </Button>
        }
      />
      <Confirm
        isOpen={isAsking}
        title={`Remove the passkey ${name}`}
        action="Remove"
        isDangerous
        isBusy={remove.isBusy}
        problem={<ProblemMessage error={remove.problem} />}
        onConfirm={() => remove.run(undefined)}
        onClose={() => setIsAsking(false)}
      >
        It signs you in no more, and your other sessions end.
      </Confirm>
    </>
  );
}
