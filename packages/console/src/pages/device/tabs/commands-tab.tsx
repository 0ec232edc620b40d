/** Commands: to send one, and what became of the others. @module */
import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { keyOf } from '../../../api/use-ask.ts';
import { Empty, Loading } from '../../../parts/empty.tsx';
import { Message, ProblemMessage } from '../../../parts/message.tsx';
import { Older } from '../../../parts/older.tsx';
import { Panel } from '../../../parts/panel.tsx';
import { CommandList } from '../commands/command-list.tsx';
import { SendCommandPanel } from '../commands/send-command.tsx';
import { useCommands } from '../commands/use-commands.ts';
import type { TabProps } from '../device-page.tsx';
import { useReadingStream } from '../readings/use-reading-stream.ts';
import { pathOf } from '../use-device.ts';

/** The part of the page. */
export function CommandsTab({ detail: { device }, rights }: TabProps): ReactNode {
  const { id, online = false } = device;
  const path = `${pathOf(id)}/commands`;
  const { commands, problem, hasOlder, isAsking, loadOlder } = useCommands(id);
  const [receivers, setReceivers] = useState<ReadonlyMap<number, number>>(new Map());
  const [missed, setMissed] = useState(false);
  const queries = useQueryClient();
  useReadingStream(id, {
    onReadings: (readings) => {
      if (!readings.some(({ topic }) => topic.startsWith(`d/${id}/ack`))) return;
      void queries.invalidateQueries({ queryKey: keyOf(path) });
    },
  });
  return (
    <>
      <SendCommandPanel
        id={id}
        mayCommand={rights.get('command')}
        onSent={(sent) => {
          setMissed(sent.receivers === 0);
          setReceivers(new Map([...receivers, [sent.index, sent.receivers]]));
        }}
      />
      {missed && (
        <Message tone="warn" title={`${id} has missed the command.`}>
          It is not connected, or does not subscribe to <code>d/{id}/cmd/#</code>. Connect it, have
          it subscribe, and send the command again.
        </Message>
      )}
      <Panel title="Commands" note="The newest first, each with who sent it." isFlush>
        <ProblemMessage error={problem} />
        {commands === undefined && problem === null && <Loading what="the commands" />}
        {commands?.length === 0 && !hasOlder && (
          <Empty title="No command was sent to it">
            One that is sent above stands here, and tells when the device acknowledges it on{' '}
            <code>d/{id}/ack/&lt;name&gt;</code>.
          </Empty>
        )}
        {commands?.length === 0 && hasOlder && (
          <Empty title="No command was sent to it lately">Look further back for older ones.</Empty>
        )}
        {commands !== undefined && (
          <CommandList commands={commands} receivers={receivers} isOnline={online} />
        )}
        {hasOlder && (
          <Older isAsking={isAsking} onAsk={loadOlder}>
            Look further back
          </Older>
        )}
      </Panel>
    </>
  );
}
