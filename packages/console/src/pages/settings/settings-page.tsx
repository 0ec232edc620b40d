/** How this server is set up: addresses, certificates, keys, retention, backups, integrations. @module */
import type { ReactNode } from 'react';
import { Page } from '../../parts/page.tsx';
import { AuthorityPanel } from './authority-panel.tsx';
import { BackupsPanel } from './backups-panel.tsx';
import { BucketsPanel } from './buckets-panel.tsx';
import { ClassesPanel } from './classes-panel.tsx';
import { KeysPanel } from './keys-panel.tsx';
import { ServerPanel } from './server-panel.tsx';
import { SignOnPanel } from './sign-on-panel.tsx';
import { WitnessesPanel } from './witnesses-panel.tsx';

/** The page. */
export function SettingsPage(): ReactNode {
  return (
    <Page
      title="Settings"
      intro="How this server is set up. What weakens it is not here: there is no switch that turns TLS, verification or encryption off."
    >
      <ServerPanel />
      <ClassesPanel />
      <KeysPanel />
      <AuthorityPanel />
      <BackupsPanel />
      <WitnessesPanel />
      <BucketsPanel />
      <SignOnPanel />
    </Page>
  );
}
