/** Commands to a device: send one, and see what it answers. @module */
import type { OwnedCommand } from '@holdfast/protocol/api';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Badge } from '../../parts/badge.tsx';
import { listCommands, sendCommand } from '../owner-api.ts';
import { ProblemBox } from '../parts/problem.tsx';
import { contentText } from '../parts/value-text.ts';
import { When } from '../parts/when.tsx';
import { CommandForm } from './command-form.tsx';
import controls from '../parts/controls.module.css';

const ASKED_EVERY_MS = 15_000;

export function CommandsCard({
  deviceId,
  isOnline,
}: {
  readonly deviceId: string;
  readonly isOnline: boolean;
}): ReactNode {
  const queries = useQueryClient();
  const queryKey = ['commands', deviceId];
  const { data, error } = useQuery({
    queryKey,
    queryFn: () => listCommands(deviceId),
    refetchInterval: ASKED_EVERY_MS,
  });
  const send = useMutation({
    mutationFn: (command: Parameters<typeof sendCommand>[1]) => sendCommand(deviceId, command),
    onSuccess: () => queries.invalidateQueries({ queryKey }),
  });
  const commands = data?.commands ?? [];
  return (
    <div className={controls['card']}>
      <h2>Commands</h2>
      {!isOnline && (
        <p className={controls['quiet']}>
          The device is away. What you send now reaches it only if it comes back within some
          minutes: it takes no old commands.
        </p>
      )}
      <CommandForm
        names={[...new Set(commands.map(({ name }) => name))]}
        isBusy={send.isPending}
        onSend={(command) => send.mutate(command)}
      />
      <ProblemBox error={send.error} />
      {data === undefined && <ProblemBox error={error} />}
      {commands.length > 0 && (
        <div className={controls['stack']}>
          <h3>Sent before</h3>
          <ol className={controls['stack']} aria-live="polite">
            {commands.map((command) => (
              <li key={command.index}>
                <SentBefore command={command} />
              </li>
            ))}
          </ol>
        </div>
      )}
    </div>
  );
}

function SentBefore({ command }: { readonly command: OwnedCommand }): ReactNode {
  const { name, payload, at, isOwn, ack } = command;
  const content = contentText(payload);
  const answer = ack === undefined ? '' : contentText(ack.payload);
  return (
    <>
      <div className={controls['heading']}>
        <span className={controls['mono']}>
          <strong>{name}</strong> {content}
        </span>
        <Badge tone={ack === undefined ? 'calm' : 'good'}>
          {ack === undefined ? 'no answer yet' : 'acknowledged'}
        </Badge>
      </div>
      <p className={controls['quiet']}>
        Sent <When at={at} />
        {!isOwn && ' by another of your phones'}
        {ack !== undefined && (
          <>
            , answered <When at={ack.at} />
            {answer !== '' && `: ${answer}`}
          </>
        )}
      </p>
    </>
  );
}
