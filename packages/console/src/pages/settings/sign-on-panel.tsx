/** The organization at which people may sign in. @module */
import type { OidcSettings, SignInMethods } from '@holdfast/protocol/api';
import type { ReactNode } from 'react';
import { useAsk } from '../../api/use-ask.ts';
import { CopyText } from '../../parts/copy.tsx';
import { Empty } from '../../parts/empty.tsx';
import { Fact, Facts } from '../../parts/facts.tsx';
import { ProblemMessage } from '../../parts/message.tsx';
import { Panel } from '../../parts/panel.tsx';
import { roleText } from '../people/roles.ts';

/** The panel. */
export function SignOnPanel(): ReactNode {
  const methods = useAsk<SignInMethods>('/v1/sign-in/methods');
  const isSet = methods.data?.hasOidc === true;
  const { data, error } = useAsk<OidcSettings>('/v1/oidc', { enabled: isSet });
  if (error?.status === 403) return null;
  return (
    <Panel
      title="Sign-in at your organization"
      note="By OpenID Connect. Nobody becomes administrator this way."
    >
      {methods.data?.hasOidc === false && (
        <Empty title="People sign in here only.">
          To let them sign in at an OpenID provider: <code>holdfast oidc set --help</code>
        </Empty>
      )}
      <ProblemMessage error={error} />
      {data !== undefined && (
        <Facts>
          <Fact name="Provider">{data.issuer}</Fact>
          <Fact name="Client id">{data.clientId}</Fact>
          <Fact name="Redirect URI">
            <CopyText value={data.redirectUri} label="the redirect URI" />
          </Fact>
          <Fact name="Roles">
            {Object.entries(data.roles)
              .map(([value, role]) => `${value} → ${roleText(role)}`)
              .join(', ')}
          </Fact>
        </Facts>
      )}
    </Panel>
  );
}
