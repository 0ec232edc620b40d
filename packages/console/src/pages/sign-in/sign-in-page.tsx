/** The way in: by passkey, password and code, an invitation, a provider, or the first code. @module */
import type { Me } from '@holdfast/protocol/api';
import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';
import { Navigate, useLocation, useNavigate } from 'react-router';
import { useMethods } from '../../api/use-methods.ts';
import { Loading } from '../../parts/empty.tsx';
import { ProblemMessage } from '../../parts/message.tsx';
import { OpenFrame } from '../../shell/open-frame.tsx';
import { CodeStep } from './code-step.tsx';
import { FirstStep } from './first-step.tsx';
import { type LinkSecret, takeLinkSecret } from './link-secret.ts';
import { WaysIn } from './ways-in.tsx';

/** The page. */
export function SignInPage(): ReactNode {
  const methods = useMethods();
  const link = useLinkSecret();
  const [pending, setPending] = useState('');
  const goOn = useGoOn();
  const from = useFrom();
  if (methods.error !== null) {
    return (
      <OpenFrame title="Sign in to Holdfast">
        <ProblemMessage error={methods.error} />
      </OpenFrame>
    );
  }
  if (methods.data === undefined || link === 'unread') return <Loading what="the ways in" />;
  if (link?.kind === 'first') return <FirstStep code={link.code} onDone={goOn} />;
  // Whoever follows an invitation means to join, even where somebody else is signed in.
  const isSignedIn = methods.data.isSignedIn && !methods.isFetching;
  if (isSignedIn && link === undefined) return <Navigate to={from} replace />;
  if (pending !== '') {
    return <CodeStep pending={pending} onBack={() => setPending('')} onDone={goOn} />;
  }
  return <WaysIn methods={methods} link={link} onPending={setPending} onDone={goOn} />;
}

/** What the link brought that led here; also a link that is opened in this tab later. */
function useLinkSecret(): LinkSecret | undefined | 'unread' {
  const [link, setLink] = useState<LinkSecret | undefined | 'unread'>('unread');
  useEffect(() => {
    const take = (): void => {
      const taken = takeLinkSecret();
      setLink((before) => taken ?? (before === 'unread' ? undefined : before));
    };
    take();
    addEventListener('hashchange', take);
    return () => removeEventListener('hashchange', take);
  }, []);
  return link;
}

/** Goes where somebody wanted to, or where they set up how they sign in. */
function useGoOn(): (me: Me, first?: 'first') => void {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const from = useFrom();
  return (me, first) => {
    // Nothing of whoever was signed in here before.
    queries.clear();
    const next = first === undefined ? from : '/welcome';
    if (me.needsSecondFactor === true) void navigate('/set-up', { state: { next }, replace: true });
    else void navigate(next, { replace: true });
  };
}

function useFrom(): string {
  const { state } = useLocation() as { readonly state: { readonly from?: string } | null };
  return state?.from ?? '/';
}
