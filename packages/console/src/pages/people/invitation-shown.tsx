import type { Invitation } from '@holdfast/protocol/api';
/** An invitation, the only time that it is shown. @module */
import { Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { CodeBlock } from '../../parts/copy.tsx';
import { Message } from '../../parts/message.tsx';
import { QrCode } from '../../parts/qr-code.tsx';
import { Time } from '../../parts/time.tsx';

/** The link, to be handed over. */
export function InvitationShown({ invitation }: { readonly invitation: Invitation }): ReactNode {
  const { person, link, expiresAt } = invitation;
  return (
    <Stack gap="md">
      <p>
        Hand this link to {person.name}: in person, or by a channel on which you know each other. It
        works once, and ends <Time at={expiresAt} />.
      </p>
      <CodeBlock code={link} label="the invitation" />
      <QrCode text={link} label="QR code of the invitation" />
      <Message tone="warn" title="It is shown this once.">
        Whoever opens it first becomes {person.name}. If you are not sure who has seen it, invite
        again: that makes this one void.
      </Message>
    </Stack>
  );
}
