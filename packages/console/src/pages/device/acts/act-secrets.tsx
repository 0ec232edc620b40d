/** What is shown this one time: a claim, and a pairing code. @module */
import type { ClaimView, PairCode } from '@holdfast/protocol/api';
import { Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { CodeBlock, CopyText } from '../../../parts/copy.tsx';
import { Fact, Facts } from '../../../parts/facts.tsx';
import { Message } from '../../../parts/message.tsx';
import { QrCode } from '../../../parts/qr-code.tsx';
import { Time } from '../../../parts/time.tsx';
import styles from './act-secrets.module.css';

/** The claim by which the device enrolls. */
export function ClaimSecret({
  claim,
  id,
}: {
  readonly claim: ClaimView;
  readonly id: string;
}): ReactNode {
  return (
    <Stack gap="md">
      <Message tone="warn" title="It is shown this once.">
        Whoever has it can enroll as {id}, once, until it ends. Bring it to the device only.
      </Message>
      <div className={styles['pair']}>
        <QrCode text={claim.text} label={`QR code of the claim of ${id}`} />
        <div className={styles['facts']}>
          <Facts>
            <Fact name="Ends">
              <Time at={claim.expiresAt} />
            </Fact>
            <Fact name="Claim">
              <CopyText value={claim.text} label="the claim" />
            </Fact>
          </Facts>
        </div>
      </div>
      <p className={styles['note']}>
        On the device, or on a computer that prepares it; it then asks for the claim:
      </p>
      <CodeBlock code={`holdfast device enroll --out ./${id}`} label="the command" />
    </Stack>
  );
}

/** The code for the label. */
export function PairSecret({ code }: { readonly code: PairCode }): ReactNode {
  return (
    <Stack gap="md">
      <Message tone="warn" title="It is shown this once.">
        Put it on the label of the device, or give it to its owner: whoever scans or types it first
        in the app becomes the owner.
      </Message>
      <div className={styles['pair']}>
        <QrCode text={code.text} label={`QR code that pairs an app with ${code.of}`} />
        <div className={styles['facts']}>
          <Facts>
            <Fact name="Device">
              <code>{code.of}</code>
            </Fact>
            <Fact name="Code">
              <CopyText value={code.code} label="the code" />
            </Fact>
            <Fact name="Ends">
              {code.expiresAt === undefined ? (
                'when it is used, or another one is made'
              ) : (
                <Time at={code.expiresAt} />
              )}
            </Fact>
          </Facts>
        </div>
      </div>
    </Stack>
  );
}
