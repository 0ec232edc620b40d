/** All ways in that this server and this browser have. @module */
import type { Me, PendingSignIn } from '@holdfast/protocol/api';
import { Button, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { KeyRound } from 'lucide-react';
import { type FormEvent, type ReactNode, useState } from 'react';
import { ask } from '../../api/ask.ts';
import { usedPasskey } from '../../api/passkey.ts';
import type { Methods } from '../../api/use-methods.ts';
import { Message, ProblemMessage } from '../../parts/message.tsx';
import { useAct } from '../../parts/use-act.tsx';
import { OpenFrame } from '../../shell/open-frame.tsx';
import { InvitationForm } from './invitation-form.tsx';
import type { LinkSecret } from './link-secret.ts';
import styles from './ways-in.module.css';

interface WaysInProps {
  readonly methods: Methods;
  readonly link: LinkSecret | undefined;
  readonly onPending: (pending: string) => void;
  readonly onDone: (me: Me) => void;
}

/** The ways, the strongest first. */
export function WaysIn({ methods, link, onPending, onDone }: WaysInProps): ReactNode {
  const invitation = link?.kind === 'invitation' ? link.code : '';
  return (
    <OpenFrame
      title="Sign in to Holdfast"
      foot="No account? An administrator of this server can invite you."
    >
      {link?.kind === 'oidc-refused' && (
        <Message
          tone="bad"
          title="Your organization did not let you in, or it gives you no role here."
        >
          Ask an administrator of this server which group gives you a role.
        </Message>
      )}
      {invitation !== '' && (
        // The key: a second invitation that is opened in this tab takes the place of the first.
        <InvitationForm key={invitation} invitation={invitation} onDone={onDone} />
      )}
      <PasskeyWay obstacle={methods.obstacle ?? ''} onDone={onDone} />
      {methods.data?.hasOidc === true && (
        <Button component="a" href="/v1/sign-in/oidc" variant="default" fullWidth>
          Sign in at your organization
        </Button>
      )}
      <p className={styles['or']}>or with a password</p>
      <PasswordWay onPending={onPending} onDone={onDone} />
      {invitation === '' && (
        <details className={styles['invitation']}>
          <summary>I have an invitation</summary>
          <InvitationForm invitation="" onDone={onDone} />
        </details>
      )}
    </OpenFrame>
  );
}

function PasskeyWay({
  obstacle,
  onDone,
}: {
  readonly obstacle: string;
  readonly onDone: (me: Me) => void;
}): ReactNode {
  const signIn = useAct(
    async () => {
      const options = await ask<object>('/v1/sign-in/passkey/options', { method: 'POST' });
      const credential = await usedPasskey(options);
      return ask<Me>('/v1/sign-in/passkey', { method: 'POST', body: { credential } });
    },
    { onDone },
  );
  if (obstacle !== '') {
    return (
      <Text size="sm" c="dimmed">
        {obstacle}
      </Text>
    );
  }
  return (
    <Stack gap="sm">
      <Button
        fullWidth
        leftSection={<KeyRound size={17} />}
        loading={signIn.isBusy}
        onClick={() => signIn.run(undefined)}
      >
        Sign in with a passkey
      </Button>
      <ProblemMessage error={signIn.problem} />
    </Stack>
  );
}

function PasswordWay({ onPending, onDone }: Omit<WaysInProps, 'methods' | 'link'>): ReactNode {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const signIn = useAct(
    (body: object) => ask<Me | PendingSignIn>('/v1/sign-in', { method: 'POST', body }),
    {
      onDone: (answer) => {
        if ('pending' in answer) onPending(answer.pending);
        else onDone(answer);
      },
    },
  );
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    signIn.run({ name: name.trim(), password });
    setPassword('');
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <TextInput
          label="Name"
          value={name}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={64}
          required
          withAsterisk={false}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <PasswordInput
          label="Password"
          value={password}
          autoComplete="current-password"
          maxLength={128}
          required
          withAsterisk={false}
          visibilityToggleButtonProps={{ 'aria-label': 'Show what is typed' }}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <ProblemMessage error={signIn.problem} />
        <Button type="submit" variant="default" loading={signIn.isBusy} fullWidth>
          Continue
        </Button>
      </Stack>
    </form>
  );
}
