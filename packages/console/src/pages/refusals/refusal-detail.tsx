/** A refusal in full, the newest of its run: what happened, what it could mean, and the next step. @module */
import type { RefusalView } from '@holdfast/protocol/api';
import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { CopyText } from '../../parts/copy.tsx';
import { Fact, Facts } from '../../parts/facts.tsx';
import { countText } from '../../parts/number-text.ts';
import { personName } from '../../parts/person-name.ts';
import { exactText } from '../../parts/time-text.ts';
import { QuarantineButton } from './quarantine-button.tsx';
import { isDevice } from './refusal-filter.ts';
import type { RefusalRun } from './refusal-runs.ts';
import { Principal } from './who.tsx';
import styles from './refusals.module.css';

/** The detail. */
export function RefusalDetail({ run }: { readonly run: RefusalRun }): ReactNode {
  const refusal = run.newest;
  const { code, what, couldMean, fix, detail, at, index, topic, principal, claimed } = refusal;
  return (
    <div className={styles['detail']}>
      <Facts>
        <Fact name="What happened">{what}</Fact>
        {couldMean !== undefined && <Fact name="It could be">{couldMean}</Fact>}
        <Fact name="Next step">{fix}</Fact>
        <Fact name="Found this time">{detail}</Fact>
        {principal !== undefined && (
          <Fact name="Who, proven">
            <Principal name={principal} />
          </Fact>
        )}
        {claimed !== undefined && (
          <Fact name="Says to be">
            <code>{claimed}</code>, which nobody has proven
          </Fact>
        )}
        {refusal.address !== undefined && (
          <Fact name="Address">
            <CopyText value={refusal.address} label="the address" />
          </Fact>
        )}
        {topic !== undefined && (
          <Fact name="Topic or path">
            <code>{topic}</code>
          </Fact>
        )}
        <Fact name="When">
          {exactText(new Date(at))}, entry {index} of the audit log
        </Fact>
        {run.count > 1 && (
          <Fact name="How often">
            {countText(run.count)} times since {exactText(new Date(run.firstAt))}
          </Fact>
        )}
        <Fact name="Code">
          <CopyText value={code} label="the code" />
        </Fact>
      </Facts>
      <RefusalActs refusal={refusal} />
    </div>
  );
}

function RefusalActs({ refusal }: { readonly refusal: RefusalView }): ReactNode {
  const { principal, address, code } = refusal;
  const like = (name: string, value: string): string =>
    `/refusals?${new URLSearchParams({ [name]: value }).toString()}`;
  return (
    <div className={styles['acts']}>
      {isDevice(principal) && <QuarantineButton device={principal} />}
      {isDevice(principal) && (
        <Button component={Link} to={`/devices/${encodeURIComponent(principal)}`} variant="default">
          Its page
        </Button>
      )}
      {principal !== undefined && (
        <Button component={Link} to={like('device', principal)} variant="default">
          All of {personName(principal)}
        </Button>
      )}
      {address !== undefined && (
        <Button component={Link} to={like('address', address)} variant="default">
          All from this address
        </Button>
      )}
      <Button component={Link} to={like('code', code)} variant="default">
        All for this reason
      </Button>
    </div>
  );
}
