import type { FirmwareStatus } from '@holdfast/protocol/api';
/** How much the files of releases take, and how much of it could go. @module */
import type { ReactNode } from 'react';
import { useAsk } from '../../api/use-ask.ts';
import { CodeBlock } from '../../parts/copy.tsx';
import { bytesText, counted } from '../../parts/number-text.ts';
import { Panel } from '../../parts/panel.tsx';

/** The panel; nothing where nothing is stored. */
export function StoredPanel(): ReactNode {
  const { data } = useAsk<FirmwareStatus>('/v1/firmware');
  const { stored, unneeded } = data?.artifacts ?? {};
  if (stored === undefined || unneeded === undefined || stored.count === 0) return null;
  const all = `${counted(stored.count, 'file')} of releases, ${bytesText(stored.bytes)}`;
  if (unneeded.count === 0) {
    return (
      <Panel title="Stored files">
        {all}. Something needs each of them, or it came in the last 30 days.
      </Panel>
    );
  }
  const some = `${counted(unneeded.count, 'of them is', 'of them are')} needed by nothing`;
  return (
    <Panel title="Stored files">
      <p>
        {all}. {some}, {bytesText(unneeded.bytes)}: of releases that were taken back, or uploads
        that no release names. They stay until somebody removes them. To see which, and why the rest
        stays:
      </p>
      <CodeBlock
        code="holdfast fw artifact remove --unneeded --dry-run"
        label="the command that shows what would go"
      />
    </Panel>
  );
}
