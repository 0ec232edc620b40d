/** API keys of the device: a second secret beside its certificate. @module */
import type {
  CreatedDeviceApiKey,
  DeviceApiKeyList,
  DeviceApiKeyView,
  DevicePossibility,
} from '@holdfast/protocol/api';
import { Button, Modal, Stack } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { ask } from '../../../api/ask.ts';
import { keyOf, useAsk } from '../../../api/use-ask.ts';
import { Confirm } from '../../../parts/confirm.tsx';
import { CodeBlock } from '../../../parts/copy.tsx';
import { Empty, Loading } from '../../../parts/empty.tsx';
import { Message, ProblemMessage } from '../../../parts/message.tsx';
import { Panel } from '../../../parts/panel.tsx';
import { Time } from '../../../parts/time.tsx';
import { useAct } from '../../../parts/use-act.tsx';
import { pathOf } from '../use-device.ts';
import tables from '../../../parts/table.module.css';

/** The panel. */
export function ApiKeysPanel({
  id,
  may,
}: {
  readonly id: string;
  readonly may: DevicePossibility | undefined;
}): ReactNode {
  const path = `${pathOf(id)}/api-keys`;
  const { data, error } = useAsk<DeviceApiKeyList>(path);
  const [dialog, setDialog] = useState<'make' | DeviceApiKeyView | undefined>();
  const mayNot = may?.isPossible === false;
  return (
    <Panel
      title="API keys"
      note="A secret that it shows beside its certificate, where its class asks for one."
      actions={
        <Button variant="default" disabled={mayNot} onClick={() => setDialog('make')}>
          Make a key
        </Button>
      }
      isFlush
    >
      {mayNot && <p className={tables['aside']}>You may not change them: {may.why}</p>}
      <ProblemMessage error={error} />
      {data === undefined && error === null && <Loading what="the API keys" />}
      {data?.apiKeys.length === 0 && (
        <Empty title="It has no API key">
          It needs one only if its class requires it, or for readings over HTTPS without MQTT.
        </Empty>
      )}
      {data !== undefined && data.apiKeys.length > 0 && (
        <KeysTable apiKeys={data.apiKeys} mayRemove={!mayNot} onRemove={setDialog} />
      )}
      {dialog === 'make' && <MakeKey id={id} onClose={() => setDialog(undefined)} />}
      {typeof dialog === 'object' && (
        <RemoveKey id={id} apiKey={dialog} onClose={() => setDialog(undefined)} />
      )}
    </Panel>
  );
}

function KeysTable({
  apiKeys,
  mayRemove,
  onRemove,
}: {
  readonly apiKeys: readonly DeviceApiKeyView[];
  readonly mayRemove: boolean;
  readonly onRemove: (apiKey: DeviceApiKeyView) => void;
}): ReactNode {
  return (
    <table className={tables['table']}>
      <thead>
        <tr>
          <th scope="col">Key</th>
          <th scope="col" className={tables['wide']}>
            Made
          </th>
          <th scope="col">Last shown</th>
          <th scope="col">Ends</th>
          <th scope="col">
            <span className={tables['unseen']}>Remove</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {apiKeys.map((apiKey) => (
          <tr key={apiKey.id}>
            <td>
              <code>{apiKey.id}</code>
            </td>
            <td className={tables['wide']}>
              <Time at={apiKey.createdAt} />
            </td>
            <td>
              <Time at={apiKey.usedAt} />
            </td>
            <td className={tables['short']}>
              {apiKey.endsAt === undefined ? 'never' : <Time at={apiKey.endsAt} />}
            </td>
            <td className={tables['number']}>
              <Button
                variant="subtle"
                color="gray"
                size="compact-sm"
                className={tables['remove']}
                disabled={!mayRemove}
                onClick={() => onRemove(apiKey)}
                aria-label={`Remove the key ${apiKey.id}`}
              >
                Remove
              </Button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function MakeKey({
  id,
  onClose,
}: {
  readonly id: string;
  readonly onClose: () => void;
}): ReactNode {
  const path = `${pathOf(id)}/api-keys`;
  const { run, isBusy, problem, result } = useAct(
    () => ask<CreatedDeviceApiKey>(path, { method: 'POST', body: {} }),
    { changes: [keyOf(path)] },
  );
  if (result === undefined) {
    return (
      <Confirm
        isOpen
        title={`Make an API key for ${id}`}
        action="Make the key"
        isBusy={isBusy}
        problem={<ProblemMessage error={problem} />}
        onConfirm={run}
        onClose={onClose}
      >
        <p>The key is shown once. A key that it has now counts for seven more days.</p>
      </Confirm>
    );
  }
  return (
    <Modal opened onClose={onClose} title="The new API key" size="lg" closeOnClickOutside={false}>
      <Stack gap="md">
        <Message tone="warn" title="It is shown this once.">
          Put it on the device, and nowhere else.
          {result.previous?.endsAt !== undefined && (
            <>
              {' '}
              The one before it ends <Time at={result.previous.endsAt} />.
            </>
          )}
        </Message>
        <CodeBlock code={result.key} label="the API key" />
      </Stack>
    </Modal>
  );
}

function RemoveKey({
  id,
  apiKey,
  onClose,
}: {
  readonly id: string;
  readonly apiKey: DeviceApiKeyView;
  readonly onClose: () => void;
}): ReactNode {
  const path = `${pathOf(id)}/api-keys`;
  const { run, isBusy, problem } = useAct(
    () => ask(`${path}/${encodeURIComponent(apiKey.id)}`, { method: 'DELETE' }),
    { changes: [keyOf(path)], onDone: onClose },
  );
  return (
    <Confirm
      isOpen
      title="Remove the API key"
      action="Remove it"
      isDangerous
      isBusy={isBusy}
      problem={<ProblemMessage error={problem} />}
      onConfirm={run}
      onClose={onClose}
    >
      <p>
        The key <code>{apiKey.id}</code> of {id} counts no more, and the connections that showed it
        close at once.
      </p>
    </Confirm>
  );
}
