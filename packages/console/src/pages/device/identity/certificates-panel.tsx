/** The certificates of a device, the newest first. @module */
import type { CertificateView, DeviceActView } from '@holdfast/protocol/api';
import { type ReactNode, useMemo } from 'react';
import { Badge } from '../../../parts/badge.tsx';
import { CopyText } from '../../../parts/copy.tsx';
import { Empty } from '../../../parts/empty.tsx';
import { Fact, Facts } from '../../../parts/facts.tsx';
import { counted } from '../../../parts/number-text.ts';
import { Panel } from '../../../parts/panel.tsx';
import { exactText } from '../../../parts/time-text.ts';
import { Time } from '../../../parts/time.tsx';
import type { Tone } from '../../../parts/tone.ts';
import { useNowMs } from '../../../parts/use-now.ts';
import { type CertificateOrigin, originsOf } from './identity-words.ts';
import styles from './certificates-panel.module.css';

const STATUS: Readonly<
  Record<CertificateView['status'], { readonly tone: Tone; readonly words: string }>
> = {
  pending: { tone: 'info', words: 'renewed, not used yet' },
  current: { tone: 'good', words: 'current' },
  superseded: { tone: 'calm', words: 'superseded' },
  revoked: { tone: 'bad', words: 'revoked' },
};
/** Older ones are of interest only to who looks for them. */
const SHOWN = 2;

/** The panel. */
export function CertificatesPanel({
  certificates,
  acts,
}: {
  readonly certificates: readonly CertificateView[];
  readonly acts: readonly DeviceActView[];
}): ReactNode {
  const origins = useMemo(() => originsOf(acts), [acts]);
  const newest = certificates.toReversed();
  const older = newest.slice(SHOWN);
  return (
    <Panel
      title="Certificates"
      note="Whoever has the key of the current one is this device, for the server. It was made where the device enrolled."
    >
      {newest.length === 0 && (
        <Empty title="It has no certificate yet">
          It gets one when it enrolls with its claim. Make a new claim under Actions if the first
          one is lost.
        </Empty>
      )}
      {newest.slice(0, SHOWN).map((one) => (
        <Certificate
          key={one.fingerprint}
          certificate={one}
          origin={origins.get(one.fingerprint)}
        />
      ))}
      {older.length > 0 && (
        <details>
          <summary>{counted(older.length, 'older certificate')}</summary>
          {older.map((one) => (
            <Certificate
              key={one.fingerprint}
              certificate={one}
              origin={origins.get(one.fingerprint)}
            />
          ))}
        </details>
      )}
    </Panel>
  );
}

function Certificate({
  certificate: { fingerprint, serial, notBefore, notAfter, status },
  origin,
}: {
  readonly certificate: CertificateView;
  readonly origin: CertificateOrigin | undefined;
}): ReactNode {
  const { tone, words } = STATUS[status];
  const hasEnded = Date.parse(notAfter) <= useNowMs();
  return (
    <div className={styles['certificate']}>
      <Facts>
        <Fact name="Status">
          <Badge tone={hasEnded && status === 'current' ? 'bad' : tone}>
            {hasEnded && status !== 'revoked' ? 'ended' : words}
          </Badge>
        </Fact>
        <Fact name="SHA-256">
          <CopyText value={fingerprint} label="the fingerprint" />
        </Fact>
        <Fact name="Serial number">
          <CopyText value={serial} label="the serial number" />
        </Fact>
        <Fact name="Valid from">{exactText(new Date(notBefore))}</Fact>
        <Fact name="Until">
          {exactText(new Date(notAfter))} (<Time at={notAfter} />)
        </Fact>
        <Fact name="Key">
          {origin?.keyAlgorithm ?? 'not told here'}; the server has never had it
        </Fact>
        {origin?.issuer !== undefined && <Fact name="Issued by">{origin.issuer}</Fact>}
        {origin !== undefined && (
          <Fact name="How">
            {origin.way}
            {origin.address !== undefined && ` from the address ${origin.address}`},{' '}
            <Time at={origin.at} />
          </Fact>
        )}
      </Facts>
    </div>
  );
}
