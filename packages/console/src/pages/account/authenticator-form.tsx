/** Sets up an authenticator app: a QR code, and the first code that the app shows. @module */
import type { RecoveryCodes, TotpOffer } from '@holdfast/protocol/api';
import { Button, Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { ask } from '../../api/ask.ts';
import { CopyText } from '../../parts/copy.tsx';
import { Loading } from '../../parts/empty.tsx';
import { ProblemMessage } from '../../parts/message.tsx';
import { QrCode } from '../../parts/qr-code.tsx';
import { useAct } from '../../parts/use-act.tsx';
import styles from './authenticator-form.module.css';

/** Asks the server for a secret at once; it counts when a code of it was shown. */
export function AuthenticatorForm({
  onDone,
}: {
  /** Hears the recovery codes, where there were none before. */
  readonly onDone: (codes: readonly string[]) => void;
}): ReactNode {
  const [code, setCode] = useState('');
  const offer = useAct(() => ask<TotpOffer>('/v1/me/totp', { method: 'POST' }));
  const confirm = useAct(
    (body: object) => ask<RecoveryCodes>('/v1/me/totp/confirm', { method: 'POST', body }),
    { onDone: ({ recoveryCodes }) => onDone(recoveryCodes) },
  );
  const hasAsked = useRef(false);
  useEffect(() => {
    // Each offer voids the one before: what is shown has to be the last.
    if (hasAsked.current) return;
    hasAsked.current = true;
    offer.run(undefined);
  }, [offer]);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    confirm.run({ code: code.replaceAll(/\s/gu, '') });
  };
  const { result } = offer;
  if (offer.problem !== null) return <ProblemMessage error={offer.problem} />;
  if (result === undefined) return <Loading what="a key for your app" />;
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <div className={styles['offer']}>
          <div className={styles['qr']}>
            <QrCode text={result.uri} label="QR code for your authenticator app" />
          </div>
          <div className={styles['key']}>
            <Text size="sm">Scan it with your authenticator app, or type this key into it:</Text>
            <CopyText value={result.secret} label="the key" shown={inFours(result.secret)} />
          </div>
        </div>
        <TextInput
          label="The six digits it shows"
          value={code}
          inputMode="numeric"
          autoComplete="one-time-code"
          maxLength={7}
          required
          withAsterisk={false}
          onChange={(event) => setCode(event.currentTarget.value)}
        />
        <ProblemMessage error={confirm.problem} />
        <Button type="submit" disabled={code.trim() === ''} loading={confirm.isBusy}>
          Use this app
        </Button>
      </Stack>
    </form>
  );
}

function inFours(secret: string): string {
  return secret.replaceAll(/(.{4})/gu, '$1 ').trim();
}
