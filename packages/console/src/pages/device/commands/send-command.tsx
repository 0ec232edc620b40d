/** Sends a command. @module */
import type { DevicePossibility, SentCommand } from '@holdfast/protocol/api';
import { Button, TextInput, Textarea } from '@mantine/core';
import { Send } from 'lucide-react';
import { type FormEvent, type ReactNode, useState } from 'react';
import { ask } from '../../../api/ask.ts';
import { keyOf } from '../../../api/use-ask.ts';
import { Message, ProblemMessage } from '../../../parts/message.tsx';
import { Panel } from '../../../parts/panel.tsx';
import { useAct } from '../../../parts/use-act.tsx';
import { pathOf } from '../use-device.ts';
import { nameProblem, readBody } from './command-body.ts';
import styles from './send-command.module.css';

/** The form. */
export function SendCommandPanel({
  id,
  mayCommand,
  onSent,
}: {
  readonly id: string;
  readonly mayCommand: DevicePossibility | undefined;
  readonly onSent: (sent: SentCommand) => void;
}): ReactNode {
  const [name, setName] = useState('');
  const [text, setText] = useState('');
  const read = readBody(text);
  const path = `${pathOf(id)}/commands`;
  const { run, isBusy, problem } = useAct(
    (body: object) => ask<SentCommand>(path, { method: 'POST', body }),
    { changes: [keyOf(path)], onDone: onSent },
  );
  const wrongName = name === '' ? undefined : nameProblem(name);
  const mayNot = mayCommand?.isPossible === false;
  const isReady = name !== '' && wrongName === undefined && read.problem === undefined && !mayNot;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (isReady) run({ name, body: read.body ?? {} });
  };
  return (
    <Panel
      title="Send a command"
      note={`The server signs it and publishes it on d/${id}/cmd/${name === '' ? '<name>' : name}.`}
    >
      {mayNot && (
        <Message tone="info" title="You may not send commands to it.">
          {mayCommand.why}
        </Message>
      )}
      <form onSubmit={submit} className={styles['form']}>
        <TextInput
          label="Name"
          placeholder="set"
          value={name}
          error={wrongName}
          onChange={(event) => setName(event.currentTarget.value)}
          spellCheck={false}
          autoComplete="off"
          disabled={mayNot}
        />
        <Textarea
          label="Body, as JSON"
          placeholder={'{"target": 21.5}'}
          value={text}
          error={read.problem}
          onChange={(event) => setText(event.currentTarget.value)}
          minRows={2}
          rows={3}
          spellCheck={false}
          classNames={{ input: styles['json'] ?? '' }}
          disabled={mayNot}
        />
        <ProblemMessage error={problem} />
        <div>
          <Button
            type="submit"
            leftSection={<Send size={16} />}
            disabled={!isReady}
            loading={isBusy}
          >
            Send
          </Button>
        </div>
      </form>
    </Panel>
  );
}
