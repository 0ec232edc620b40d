/** Who may do what: the policy, what it decides, who asks for a second person, API tokens. @module */
import type { ReactNode } from 'react';
import { Page } from '../../parts/page.tsx';
import { ApprovalsPanel } from './approvals-panel.tsx';
import { ExplainPanel } from './explain-panel.tsx';
import { PolicyPanel } from './policy-panel.tsx';
import { TokensPanel } from './tokens-panel.tsx';

/** The page. */
export function AccessPage(): ReactNode {
  return (
    <Page
      title="Access"
      intro="What no rule permits is refused, for people, apps and devices alike. One policy decides it, topic by topic and act by act."
    >
      <ApprovalsPanel />
      <ExplainPanel />
      <TokensPanel />
      <PolicyPanel />
    </Page>
  );
}
