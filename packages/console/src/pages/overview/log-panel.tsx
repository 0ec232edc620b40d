/** The audit log: how long it is, and when somebody looked whether it is whole. @module */
import type { Overview } from '@holdfast/protocol/api';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { Badge } from '../../parts/badge.tsx';
import { Fact, Facts } from '../../parts/facts.tsx';
import { countText, counted } from '../../parts/number-text.ts';
import { Panel } from '../../parts/panel.tsx';
import { personName } from '../../parts/person-name.ts';
import { Time } from '../../parts/time.tsx';

type Log = NonNullable<Overview['log']>;

/** The panel. */
export function LogPanel({ log }: { readonly log: Log }): ReactNode {
  return (
    <Panel
      title="Audit log"
      note="Everything that was accepted, refused and done, in a form that shows every change."
      actions={<Link to="/audit">Verify it</Link>}
    >
      <Facts>
        <Fact name="Entries">{countText(log.size)}</Fact>
        <Fact name="Verified">
          <Verified log={log} />
        </Fact>
        <Fact name="Witnesses">
          <Witnessed log={log} />
        </Fact>
      </Facts>
    </Panel>
  );
}

function Verified({ log: { lastVerification: last } }: { readonly log: Log }): ReactNode {
  if (last === undefined) return <Badge tone="warn">never, as far as this server knows</Badge>;
  return (
    <>
      {last.ok ? (
        <Badge tone="good">whole and unchanged</Badge>
      ) : (
        <Badge tone="bad">
          {last.findings > 0 ? counted(last.findings, 'finding') : 'it came to no end'}
        </Badge>
      )}{' '}
      <Time at={last.at} /> by {personName(last.by)}
    </>
  );
}

function Witnessed({ log }: { readonly log: Log }): ReactNode {
  if (log.witnesses === 0) return 'none: nobody outside watches the log';
  if (log.isBehind) return <Badge tone="bad">one has seen another log</Badge>;
  if (log.witnessed === undefined) return `${countText(log.witnesses)}; none has looked yet`;
  return (
    <>
      {countText(log.witnesses)}; entry {countText(log.witnessed.size)} was seen{' '}
      <Time at={log.witnessed.at} />
    </>
  );
}
