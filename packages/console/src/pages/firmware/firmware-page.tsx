/** Releases, who signs them, and what is known to be wrong with them. @module */
import type { ReactNode } from 'react';
import { Page } from '../../parts/page.tsx';
import { ReleasesPanel } from './releases-panel.tsx';
import { RequestsPanel } from './requests-panel.tsx';
import { SignersPanel } from './signers-panel.tsx';
import { StoredPanel } from './stored-panel.tsx';
import { VulnerabilitiesPanel } from './vulnerabilities-panel.tsx';

/** The page. */
export function FirmwarePage(): ReactNode {
  return (
    <Page
      title="Firmware"
      intro="A device installs what the release keys of people have signed and what this server has assigned to it, and nothing that only one of them says."
    >
      <RequestsPanel />
      <ReleasesPanel />
      <VulnerabilitiesPanel />
      <SignersPanel />
      <StoredPanel />
    </Page>
  );
}
