/** Verifies the log in the browser itself, and remembers what it has seen. @module */
import { Button, Group, Progress } from '@mantine/core';
import { type ReactNode, useRef, useState } from 'react';
import { problemOf } from '../../api/problem.ts';
import { Message, ProblemMessage } from '../../parts/message.tsx';
import { countText } from '../../parts/number-text.ts';
import { Panel } from '../../parts/panel.tsx';
import { Time } from '../../parts/time.tsx';
import { type LogCheck, checkLog } from './check-log.ts';
import { forgetSeen, readSeen } from './seen-log.ts';

type State =
  | { readonly is: 'idle' }
  | { readonly is: 'running'; readonly done: number; readonly size: number }
  | { readonly is: 'done'; readonly check: LogCheck }
  | { readonly is: 'failed'; readonly error: unknown };

/** The panel. */
export function CheckHerePanel(): ReactNode {
  const [state, setState] = useState<State>({ is: 'idle' });
  const abort = useRef<AbortController>(undefined);
  const seen = readSeen();
  const run = async (): Promise<void> => {
    const controller = new AbortController();
    abort.current = controller;
    setState({ is: 'running', done: 0, size: 0 });
    try {
      const onProgress = (done: number, size: number): void =>
        setState({ is: 'running', done, size });
      setState({ is: 'done', check: await checkLog(onProgress, controller.signal) });
    } catch (error) {
      if (controller.signal.aborted) setState({ is: 'idle' });
      else setState({ is: 'failed', error: problemOf(error) });
    }
  };
  return (
    <Panel
      title="Check it here"
      note="This browser fetches the hash of every entry, computes the root by itself, and compares it with what the server has signed, and with what it has seen before. It need not believe the server."
      actions={
        state.is === 'running' ? (
          <Button variant="default" onClick={() => abort.current?.abort()}>
            Stop
          </Button>
        ) : (
          <Button onClick={() => void run()}>Verify now</Button>
        )
      }
    >
      {state.is === 'idle' && (
        <p>
          {seen === undefined ? (
            'This browser has not seen the log yet.'
          ) : (
            <>
              This browser last saw {countText(seen.size)} entries, <Time at={seen.atMs} />.
            </>
          )}
        </p>
      )}
      {state.is === 'running' && <Running {...state} />}
      <div aria-live="polite">
        {state.is === 'failed' && <ProblemMessage error={state.error} />}
        {state.is === 'done' && (
          <Verdict check={state.check} onForget={() => setState({ is: 'idle' })} />
        )}
      </div>
    </Panel>
  );
}

function Running({ done, size }: { readonly done: number; readonly size: number }): ReactNode {
  return (
    <>
      <Progress
        value={size === 0 ? 0 : (100 * done) / size}
        aria-label="Entries that are verified"
        animated
      />
      <p className="numbers">
        {size === 0
          ? 'Fetching the checkpoint…'
          : `${countText(done)} of ${countText(size)} entries`}
      </p>
    </>
  );
}

function Verdict({
  check,
  onForget,
}: {
  readonly check: LogCheck;
  readonly onForget: () => void;
}): ReactNode {
  const { before } = check;
  if (check.isGood) {
    return (
      <Message
        tone="good"
        title={`All ${countText(check.seen.size)} entries have the signed root.`}
      >
        {before === undefined ? (
          'From now on this browser notices when the log is set back or rewritten.'
        ) : (
          <>
            The first {countText(before.size)} of them are those that this browser saw{' '}
            <Time at={before.atMs} />.
          </>
        )}
      </Message>
    );
  }
  const forget = (): void => {
    forgetSeen();
    onForget();
  };
  return (
    <Message tone="bad" title={check.problem}>
      <p>
        Somebody with access to the server may have changed the log, or it was restored from an
        older backup. Compare with a witness and with a checkpoint that was kept elsewhere before
        you go on: <code>holdfast audit verify --against checkpoint.txt</code>
      </p>
      {before !== undefined && (
        <Group>
          <Button variant="default" onClick={forget}>
            I know why: forget what was seen before
          </Button>
        </Group>
      )}
    </Message>
  );
}
