/** What waits for signatures, and for whose. Nothing is shown while there is nothing. @module */
import type { SigningRequestView } from '@holdfast/protocol/api';
import type { ReactNode } from 'react';
import { useAsk } from '../../api/use-ask.ts';
import { Badge } from '../../parts/badge.tsx';
import { CodeBlock } from '../../parts/copy.tsx';
import { Message } from '../../parts/message.tsx';
import { Panel } from '../../parts/panel.tsx';
import { personName } from '../../parts/person-name.ts';
import { Time } from '../../parts/time.tsx';

/** The panel. */
export function RequestsPanel(): ReactNode {
  const { data } = useAsk<{ requests: SigningRequestView[] }>('/v1/firmware/requests', {
    everyMs: 30_000,
  });
  const requests = data?.requests ?? [];
  if (requests.length === 0) return null;
  return (
    <Panel
      title="Waiting for signatures"
      note="A signer looks at it and signs on their own machine; this page cannot."
    >
      {requests.map((request) => (
        <Request key={request.id} request={request} />
      ))}
    </Panel>
  );
}

function Request({ request }: { readonly request: SigningRequestView }): ReactNode {
  const { id, madeAt, madeBy, documents } = request;
  const short = id.slice(0, 12);
  return (
    <Message
      tone="info"
      title={
        <>
          {documents.map(({ role, version }) => `${role} ${version}`).join(', ')}, asked by{' '}
          {personName(madeBy)} <Time at={madeAt} />
        </>
      }
    >
      <ul>
        {documents.flatMap(({ repository, role, needs }) =>
          needs.map(({ who, threshold, signers }) => (
            <li key={`${repository}/${role}/${who}`}>
              {repository} {role}: {threshold} of {signers.length} of {who}:{' '}
              {signers.map(({ keyId, name, hasSigned }) => (
                <Badge key={keyId} tone={hasSigned ? 'good' : 'calm'}>
                  {name || 'server'} {hasSigned ? 'has signed' : 'has not signed'}
                </Badge>
              ))}
            </li>
          )),
        )}
      </ul>
      <CodeBlock
        code={`holdfast fw requests ${short} --out ${short}.json\nholdfast fw sign ${short}.json --key KEY\nholdfast fw submit ${short}.*.sig.json`}
        label="the commands"
      />
    </Message>
  );
}
