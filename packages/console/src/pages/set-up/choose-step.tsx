/** The choice: a passkey, or a password with an authenticator app. @module */
import { Button, Text } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { Message } from '../../parts/message.tsx';
import { OpenFrame } from '../../shell/open-frame.tsx';
import { AuthenticatorForm } from '../account/authenticator-form.tsx';
import { PasskeyForm } from '../account/passkey-form.tsx';
import { PasswordForm } from '../account/password-form.tsx';

interface ChooseStepProps {
  readonly name: string;
  /** Why there can be no passkeys here; empty when there can. */
  readonly obstacle: string;
  readonly hasPassword: boolean;
  /** Hears the recovery codes; none after a passkey alone. */
  readonly onDone: (codes: readonly string[]) => void;
}

/** A passkey unless this place has none, or the person wants it otherwise. */
export function ChooseStep({ name, obstacle, hasPassword, onDone }: ChooseStepProps): ReactNode {
  const [way, setWay] = useState<'passkey' | 'password' | 'app'>(
    obstacle === '' ? 'passkey' : hasPassword ? 'app' : 'password',
  );
  if (way === 'passkey') {
    return (
      <OpenFrame
        title={`${name}, make your passkey`}
        step="Step 2 of 3"
        intro="Your phone, your laptop or a security key signs you in from now on: nothing to remember, and a false page gets nothing."
      >
        <PasskeyForm action="Make a passkey" isPrimary onDone={onDone} />
        <Button variant="subtle" onClick={() => setWay(hasPassword ? 'app' : 'password')}>
          {hasPassword ? 'Use an authenticator app instead' : 'Use a password instead'}
        </Button>
        <Incomplete hasPassword={hasPassword} />
      </OpenFrame>
    );
  }
  return (
    <OpenFrame
      title={way === 'password' ? `${name}, choose a password` : 'Set up your authenticator app'}
      step={way === 'password' ? 'Step 2 of 3, a password' : 'Step 2 of 3, an authenticator app'}
      intro={
        way === 'password'
          ? 'An authenticator app comes next: a password alone opens nothing here.'
          : 'Its code is asked for after your password.'
      }
    >
      {obstacle !== '' && <Message title="Passkeys are not possible here.">{obstacle}</Message>}
      {way === 'password' ? (
        <PasswordForm name={name} action="Set the password" onDone={() => setWay('app')} />
      ) : (
        <AuthenticatorForm onDone={onDone} />
      )}
      {obstacle === '' && (
        <Button variant="subtle" onClick={() => setWay('passkey')}>
          Make a passkey instead
        </Button>
      )}
      <Incomplete hasPassword={hasPassword} />
    </OpenFrame>
  );
}

function Incomplete({ hasPassword }: Pick<ChooseStepProps, 'hasPassword'>): ReactNode {
  return (
    <Text size="sm" c="dimmed">
      You have shown no second factor yet. Until you set one up here, nothing else is open to you.
      {!hasPassword && ' The link that led you here works once: finish before you close this page.'}
    </Text>
  );
}
