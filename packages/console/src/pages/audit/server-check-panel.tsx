import type { VerificationLine, VerifiedLog } from '@holdfast/protocol/api';
/** Lets the server verify everything, sealed content included, and shows how far it is. @module */
import { Button, Progress } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useRef, useState } from 'react';
import { problemOf } from '../../api/problem.ts';
import { keyOf } from '../../api/use-ask.ts';
import { Message, ProblemMessage } from '../../parts/message.tsx';
import { counted, countText } from '../../parts/number-text.ts';
import { Panel } from '../../parts/panel.tsx';
import { followLines } from './follow-lines.ts';

/** The panel. */
export function ServerCheckPanel(): ReactNode {
  const queries = useQueryClient();
  const [progress, setProgress] = useState<{ done: number; size: number } | undefined>();
  const [report, setReport] = useState<VerifiedLog | undefined>();
  const [error, setError] = useState<unknown>();
  const abort = useRef<AbortController>(undefined);
  const hear = (line: VerificationLine): void => {
    if ('report' in line) setReport(line.report);
    else if ('failed' in line) setError(new Error(line.failed));
    else setProgress(line);
  };
  const run = async (): Promise<void> => {
    const controller = new AbortController();
    abort.current = controller;
    setReport(undefined);
    setError(undefined);
    setProgress({ done: 0, size: 0 });
    try {
      await followLines('/v1/audit/verifications', { onLine: hear, signal: controller.signal });
    } catch (error) {
      if (!controller.signal.aborted) setError(problemOf(error));
    }
    setProgress(undefined);
    await queries.invalidateQueries({ queryKey: keyOf('/v1/overview') });
    await queries.invalidateQueries({ queryKey: keyOf('/v1/audit/acts') });
  };
  return (
    <Panel
      title="Let the server check"
      note="It opens every sealed entry, recomputes its hash and the tree. Its result goes on record."
      actions={
        progress === undefined ? (
          <Button variant="default" onClick={() => void run()}>
            Verify on the server
          </Button>
        ) : (
          <Button variant="default" onClick={() => abort.current?.abort()}>
            Stop
          </Button>
        )
      }
    >
      {progress !== undefined && (
        <>
          <Progress
            value={progress.size === 0 ? 0 : (100 * progress.done) / progress.size}
            aria-label="Entries that are verified"
            animated
          />
          <p className="numbers">
            {countText(progress.done)} of {countText(progress.size)} entries
          </p>
        </>
      )}
      <div aria-live="polite">
        <ProblemMessage error={error} />
        {report !== undefined && <Report report={report} />}
        {report === undefined && error === undefined && progress === undefined && (
          <p>
            For a server that is not believed, check here above, or a backup on another machine.
          </p>
        )}
      </div>
    </Panel>
  );
}

function Report({ report }: { readonly report: VerifiedLog }): ReactNode {
  const { ok, entries, messages, acts, refusals, erased, seconds, findings } = report;
  return (
    <Message
      tone={ok ? 'good' : 'bad'}
      title={
        ok
          ? `All ${counted(entries, 'entry', 'entries')} are as they were written.`
          : `${counted(findings.length, 'finding')} in ${counted(entries, 'entry', 'entries')}.`
      }
    >
      {counted(messages, 'message')}, {counted(acts, 'act')}, {counted(refusals, 'refusal')},{' '}
      {counted(erased, 'erased entry', 'erased entries')}; {seconds.toFixed(1)} seconds.
      <ul>
        {findings.map(({ what, entries: place }) => (
          <li key={`${place?.first}/${what}`}>
            {place !== undefined &&
              `Entries ${countText(place.first)} to ${countText(place.last)}: `}
            {what}
          </li>
        ))}
      </ul>
    </Message>
  );
}
