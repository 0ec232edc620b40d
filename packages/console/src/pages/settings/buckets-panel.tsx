/** Buckets that were looked at, and what was found. @module */
import type { BucketFinding, BucketView } from '@holdfast/protocol/api';
import type { ReactNode } from 'react';
import { Badge } from '../../parts/badge.tsx';
import { Empty } from '../../parts/empty.tsx';
import { Time } from '../../parts/time.tsx';
import type { Tone } from '../../parts/tone.ts';
import { LoadedPanel } from './loaded.tsx';

const TONES: Readonly<Record<BucketFinding['result'], Tone>> = {
  pass: 'good',
  fail: 'bad',
  unknown: 'warn',
};

/** The panel. */
export function BucketsPanel(): ReactNode {
  return (
    <LoadedPanel<{ buckets: BucketView[] }>
      path="/v1/buckets"
      what="the buckets"
      title="Object storage"
      note="A bucket is judged before it is used, and every day. A public one is refused."
    >
      {({ buckets }) =>
        buckets.length === 0 ? (
          <Empty title="No bucket is used.">
            Backups and firmware are in folders. To use S3, start the server with its endpoint; see{' '}
            <code>holdfast up --help</code>.
          </Empty>
        ) : (
          buckets.map((bucket) => <Bucket key={bucket.name} bucket={bucket} />)
        )
      }
    </LoadedPanel>
  );
}

function Bucket({ bucket }: { readonly bucket: BucketView }): ReactNode {
  const { name, checkedAt, isUsable, findings } = bucket;
  return (
    <details open={!isUsable}>
      <summary>
        <code>{name}</code>{' '}
        <Badge tone={isUsable ? 'good' : 'bad'}>{isUsable ? 'in use' : 'refused'}</Badge> checked{' '}
        <Time at={checkedAt} />
      </summary>
      <ul>
        {findings.map(({ check, result, what, why, fix, accepted }) => (
          <li key={check}>
            <Badge tone={TONES[result]}>{result}</Badge> {what}
            {result !== 'pass' && ` ${why} ${fix}`}
            {accepted !== undefined && ` Accepted by ${accepted.by}: ${accepted.reason}`}
          </li>
        ))}
      </ul>
    </details>
  );
}
