/** What is on record, and that nobody has changed it. @module */
import type { ReactNode } from 'react';
import { Page } from '../../parts/page.tsx';
import { ActsPanel } from './acts-panel.tsx';
import { CheckHerePanel } from './check-here-panel.tsx';
import { ServerCheckPanel } from './server-check-panel.tsx';

/** The page. */
export function AuditPage(): ReactNode {
  return (
    <Page
      title="Audit"
      intro="Every message, refusal and act is an entry of a Merkle log that can only grow. A checkpoint signs the whole of it: whoever changes an entry has another root."
    >
      <CheckHerePanel />
      <ServerCheckPanel />
      <ActsPanel />
    </Page>
  );
}
