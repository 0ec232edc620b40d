/** Shows a second factor again before it is asked for. @module */
import type { Factors, Me } from '@holdfast/protocol/api';
import { Button, Group, Text, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { ask } from '../../api/ask.ts';
import { usedPasskey } from '../../api/passkey.ts';
import { keyOf } from '../../api/use-ask.ts';
import { ProblemMessage } from '../../parts/message.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Time } from '../../parts/time.tsx';
import { useAct } from '../../parts/use-act.tsx';

interface StepUpPanelProps {
  readonly me: Me;
  readonly factors: Factors;
  readonly obstacle: string;
}

/** Nothing for whoever has no second factor here. */
export function StepUpPanel({ me, factors, obstacle }: StepUpPanelProps): ReactNode {
  const [code, setCode] = useState('');
  const stepUp = useAct(
    async (proof: () => Promise<object>) =>
      ask('/v1/step-up', { method: 'POST', body: await proof() }),
    { changes: [keyOf('/v1/me')], onDone: () => setCode('') },
  );
  const byPasskey = async (): Promise<object> => ({
    credential: await usedPasskey(await ask<object>('/v1/step-up/options', { method: 'POST' })),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    stepUp.run(() => Promise.resolve({ code: code.trim() }));
  };
  const { passkeys, hasTotp, hasPassword, recoveryCodesLeft } = factors;
  if (!hasTotp && passkeys.length === 0) return null;
  const canTypeCode = hasTotp || (hasPassword && recoveryCodesLeft > 0);
  return (
    <Panel
      title="Confirm that it is you"
      note="Dangerous acts ask for your second factor again, and it counts for five minutes. You are asked when it is due; here you can do it before."
    >
      <Group align="end">
        {passkeys.length > 0 && obstacle === '' && (
          <Button loading={stepUp.isBusy} variant="default" onClick={() => stepUp.run(byPasskey)}>
            Confirm with a passkey
          </Button>
        )}
        {canTypeCode && (
          <form onSubmit={submit}>
            <Group align="end">
              <TextInput
                label="Code of your app, or a recovery code"
                value={code}
                autoComplete="one-time-code"
                spellCheck={false}
                maxLength={64}
                onChange={(event) => setCode(event.currentTarget.value)}
              />
              <Button
                type="submit"
                variant="default"
                disabled={code.trim() === ''}
                loading={stepUp.isBusy}
              >
                Confirm with a code
              </Button>
            </Group>
          </form>
        )}
      </Group>
      <ProblemMessage error={stepUp.problem} />
      <Text size="sm" c="dimmed" mt="sm" role="status">
        {me.steppedUpAt === undefined ? (
          'Not confirmed in this session yet.'
        ) : (
          <>
            Last confirmed <Time at={me.steppedUpAt} />.
          </>
        )}
      </Text>
    </Panel>
  );
}
