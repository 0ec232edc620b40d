/** The phones and tablets of the owner: who has one sees and commands all of their devices. @module */
import type { OwnedApp, PairCode } from '@holdfast/protocol/api';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Smartphone } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { Message } from '../../parts/message.tsx';
import { QrCode } from '../../parts/qr-code.tsx';
import { forgetIdentity } from '../identity/app-session.ts';
import { invitePhone, listPhones, removePhone } from '../owner-api.ts';
import { linkOf } from '../pairing/read-code.ts';
import { Button } from '../parts/button.tsx';
import { momentText } from '../parts/moment-text.ts';
import { ProblemBox } from '../parts/problem.tsx';
import { When } from '../parts/when.tsx';
import controls from '../parts/controls.module.css';

export function PhonesPage(): ReactNode {
  const phones = useQuery({ queryKey: ['phones'], queryFn: listPhones });
  const { data, error } = phones;
  return (
    <section className={controls['stack']}>
      <h1>My phones</h1>
      <p>Each of these sees all of your devices, and can send them commands.</p>
      {data === undefined && error === null && <p role="status">Asking the server…</p>}
      {data === undefined && <ProblemBox error={error} />}
      {data?.map((phone, at) => (
        <PhoneCard key={phone.id} phone={phone} number={at + 1} isLast={data.length === 1} />
      ))}
      {data !== undefined && <Invite />}
    </section>
  );
}

function PhoneCard({
  phone,
  number,
  isLast,
}: {
  readonly phone: OwnedApp;
  readonly number: number;
  readonly isLast: boolean;
}): ReactNode {
  const { id, isThis, createdAt, lastSeenAt, notAfter } = phone;
  const queries = useQueryClient();
  const [isAsking, setIsAsking] = useState(false);
  const remove = useMutation({
    mutationFn: async () => {
      await removePhone(id);
      if (isThis) await forgetIdentity();
    },
    onSuccess: () => queries.invalidateQueries(),
  });
  return (
    <article className={controls['card']}>
      <div className={controls['heading']}>
        <h2 className={controls['row']}>
          <Smartphone size={18} aria-hidden="true" />
          {isThis ? 'This phone' : `Phone ${number}`}
        </h2>
        <code className={controls['quiet']}>{id.split('.')[1] ?? id}</code>
      </div>
      <p className={controls['quiet']}>
        Paired <When at={createdAt} />, last there <When at={lastSeenAt} />. It stays paired until{' '}
        {momentText(notAfter)}, and longer each time that it is used.
      </p>
      <ProblemBox error={remove.error} />
      {!isAsking && (
        <Button kind="danger" isWide onPress={() => setIsAsking(true)}>
          {isThis ? 'Remove this phone' : 'Remove it'}
        </Button>
      )}
      {isAsking && (
        <div className={controls['stack']}>
          <Message tone="warn" title="It sees and commands your devices no more, at once.">
            {isLast
              ? 'It is your only phone: your devices stay yours, but no phone sees them any more until each one is reset, by its own button or by the operator, and a reset erases what it sent. Invite another phone first.'
              : 'Invite it again if it was a mistake.'}
          </Message>
          <div className={controls['buttons']}>
            <Button
              kind="danger"
              isWide
              isDisabled={remove.isPending}
              onPress={() => remove.mutate()}
            >
              {remove.isPending ? 'Removing it…' : 'Yes, remove it'}
            </Button>
            <Button isWide onPress={() => setIsAsking(false)}>
              Keep it
            </Button>
          </div>
        </div>
      )}
    </article>
  );
}

function Invite(): ReactNode {
  const invite = useMutation({ mutationFn: invitePhone });
  const { data, error, isPending } = invite;
  return (
    <article className={controls['card']}>
      <h2>Invite another phone</h2>
      <p>Of somebody in your home, or your next one.</p>
      <ProblemBox error={error} />
      {data !== undefined && <Invitation code={data} />}
      <Button isWide isDisabled={isPending} onPress={() => invite.mutate()}>
        {isPending ? 'Asking the server…' : data === undefined ? 'Show a code' : 'Make a new code'}
      </Button>
    </article>
  );
}

function Invitation({ code }: { readonly code: PairCode }): ReactNode {
  const { text, of, code: characters, expiresAt } = code;
  return (
    <div className={controls['stack']}>
      <QrCode text={linkOf(text, location.origin)} label="The code for another phone" />
      <p>Scan it with the camera of the other phone. Or open this page there, and type:</p>
      <dl className={controls['stack']}>
        <div>
          <dt className={controls['label']}>Name</dt>
          <dd className={controls['mono']}>{of}</dd>
        </div>
        <div>
          <dt className={controls['label']}>Code</dt>
          <dd className={controls['mono']}>{characters}</dd>
        </div>
      </dl>
      <p className={controls['quiet']}>
        It works once
        {expiresAt !== undefined && `, until ${momentText(expiresAt)}`}. Show it to nobody else.
      </p>
    </div>
  );
}
