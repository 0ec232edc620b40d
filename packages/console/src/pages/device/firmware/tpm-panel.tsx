/** What the TPM of a device has proven. @module */
import type { TpmView } from '@holdfast/protocol/api';
import type { ReactNode } from 'react';
import { Badge } from '../../../parts/badge.tsx';
import { CopyText } from '../../../parts/copy.tsx';
import { Empty } from '../../../parts/empty.tsx';
import { Fact, Facts } from '../../../parts/facts.tsx';
import { Panel } from '../../../parts/panel.tsx';
import { Time } from '../../../parts/time.tsx';

/** The panel. */
export function TpmPanel({ tpm: data }: { readonly tpm: TpmView | undefined }): ReactNode {
  return (
    <Panel title="Measured boot" note="What its TPM has proven of how it booted.">
      {data === undefined && (
        <Empty title="It has shown no TPM">
          Without one, the server believes what the device tells of itself, and cannot check it.
        </Empty>
      )}
      {data !== undefined && (
        <Facts>
          <Fact name="Boot">
            {data.boot === undefined ? (
              'not asked for'
            ) : (
              <Badge tone={data.boot === 'proven' ? 'good' : 'bad'}>{data.boot}</Badge>
            )}
          </Fact>
          {data.proof !== undefined && (
            <Fact name="Last proof">
              {data.proof.release}, <Time at={data.proof.at} />
            </Fact>
          )}
          {data.why !== undefined && <Fact name="Why not">{data.why}</Fact>}
          <Fact name="Vouched for by">
            {data.trustedBy ?? (data.trust === 'nobody' ? 'nobody yet' : data.trust)}
          </Fact>
          <Fact name="Bound">
            <Time at={data.boundAt} />
          </Fact>
          <Fact name="Endorsement key">
            <CopyText value={data.ekSha256} label="the hash of the endorsement key" />
          </Fact>
        </Facts>
      )}
    </Panel>
  );
}
