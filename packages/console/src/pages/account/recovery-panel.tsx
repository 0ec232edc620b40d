/** How many recovery codes a person has left, and new ones. @module */
import type { Factors, RecoveryCodes } from '@holdfast/protocol/api';
import { Button } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { ask } from '../../api/ask.ts';
import { keyOf } from '../../api/use-ask.ts';
import { Message, ProblemMessage } from '../../parts/message.tsx';
import { Panel } from '../../parts/panel.tsx';
import { useAct } from '../../parts/use-act.tsx';
import { RecoveryCodesDialog } from './recovery-dialog.tsx';

const FEW = 3;

/** The panel. */
export function RecoveryPanel({ factors }: { readonly factors: Factors }): ReactNode {
  const { hasPassword, hasTotp, passkeys, recoveryCodesLeft: left } = factors;
  const [codes, setCodes] = useState<readonly string[]>([]);
  const make = useAct(() => ask<RecoveryCodes>('/v1/me/recovery-codes', { method: 'POST' }), {
    changes: [keyOf('/v1/me')],
    onDone: ({ recoveryCodes }) => setCodes(recoveryCodes),
  });
  const canHave = hasPassword && (hasTotp || passkeys.length > 0);
  const count = left === 1 ? '1 recovery code is left.' : `${left} recovery codes are left.`;
  return (
    <Panel
      title="Recovery codes"
      note="With your password, each lets you in once when your second factor is not at hand."
      actions={
        canHave && (
          <Button
            variant="default"
            size="sm"
            loading={make.isBusy}
            onClick={() => make.run(undefined)}
          >
            Make new recovery codes
          </Button>
        )
      }
    >
      {canHave && left <= FEW ? (
        <Message tone="warn" title={count}>
          Make new ones before you need them; the old ones are void then.
        </Message>
      ) : (
        <span>
          {canHave ? count : 'They need a password and a second factor: set up both first.'}
        </span>
      )}
      <ProblemMessage error={make.problem} />
      <RecoveryCodesDialog codes={codes} onKept={() => setCodes([])} />
    </Panel>
  );
}
