import type { TokenView } from '@holdfast/protocol/api';
/** API tokens: listed without their secrets, made, ended. @module */
import { Button, Table } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { ask } from '../../api/ask.ts';
import { keyOf, useAsk } from '../../api/use-ask.ts';
import { Confirm } from '../../parts/confirm.tsx';
import { Empty } from '../../parts/empty.tsx';
import { ProblemMessage } from '../../parts/message.tsx';
import { Panel } from '../../parts/panel.tsx';
import { personName } from '../../parts/person-name.ts';
import { Time } from '../../parts/time.tsx';
import { useAct } from '../../parts/use-act.tsx';
import { NewTokenDialog } from './new-token-dialog.tsx';
import { scopeText } from './scope-wish.ts';

/** The panel. */
export function TokensPanel(): ReactNode {
  const tokens = useAsk<{ tokens: TokenView[] }>('/v1/tokens');
  const [isMaking, setIsMaking] = useState(false);
  const [chosen, setChosen] = useState<TokenView | undefined>();
  const { run, isBusy, problem } = useAct(
    ({ id }: TokenView) => ask(`/v1/tokens/${id}`, { method: 'DELETE' }),
    { changes: [keyOf('/v1/tokens')], onDone: () => setChosen(undefined) },
  );
  return (
    <Panel
      title="API tokens"
      note="For programs. A token stands for the person who made it, and ends by itself."
      actions={
        <Button variant="default" onClick={() => setIsMaking(true)}>
          Make a token
        </Button>
      }
      isFlush
    >
      <ProblemMessage error={tokens.error} />
      {tokens.data?.tokens.length === 0 && (
        <Empty title="There are no API tokens.">
          Make one for a program that reads or acts on its own. People sign in as themselves.
        </Empty>
      )}
      {(tokens.data?.tokens.length ?? 0) > 0 && (
        <Table.ScrollContainer minWidth={560}>
          <Table verticalSpacing="xs" horizontalSpacing="lg">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>For</Table.Th>
                <Table.Th>Of</Table.Th>
                <Table.Th>May do</Table.Th>
                <Table.Th>Made</Table.Th>
                <Table.Th>Ends</Table.Th>
                <Table.Th aria-label="Acts" />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {tokens.data?.tokens.map((token) => (
                <Table.Tr key={token.id}>
                  <Table.Td data-label="For">{token.label}</Table.Td>
                  <Table.Td data-label="Of">{personName(token.principal)}</Table.Td>
                  <Table.Td data-label="May do">{scopeText(token)}</Table.Td>
                  <Table.Td data-label="Made">
                    <Time at={token.createdAt} />
                  </Table.Td>
                  <Table.Td data-label="Ends">
                    <Time at={token.expiresAt} />
                  </Table.Td>
                  <Table.Td>
                    <Button size="compact-sm" variant="default" onClick={() => setChosen(token)}>
                      End
                    </Button>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      <Confirm
        isOpen={chosen !== undefined}
        title={`End the token “${chosen?.label ?? ''}”`}
        action="End it"
        isDangerous
        isBusy={isBusy}
        problem={<ProblemMessage error={problem} />}
        onConfirm={() => chosen && run(chosen)}
        onClose={() => setChosen(undefined)}
      >
        Programs that use it are refused at once.
      </Confirm>
      <NewTokenDialog isOpen={isMaking} onClose={() => setIsMaking(false)} />
    </Panel>
  );
}
