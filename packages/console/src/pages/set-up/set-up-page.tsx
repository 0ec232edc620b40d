/** Sets up how somebody signs in from now on: after the first code, an invitation, or a password alone. @module */
import type { Factors } from '@holdfast/protocol/api';
import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Navigate, useLocation, useNavigate } from 'react-router';
import { useAsk } from '../../api/use-ask.ts';
import { useMe } from '../../api/use-me.ts';
import { useMethods } from '../../api/use-methods.ts';
import { Loading } from '../../parts/empty.tsx';
import { ProblemMessage } from '../../parts/message.tsx';
import { personName } from '../../parts/person-name.ts';
import { OpenFrame } from '../../shell/open-frame.tsx';
import { RecoveryCodes } from '../account/recovery-codes.tsx';
import { ChooseStep } from './choose-step.tsx';
import { WayBackStep } from './way-back-step.tsx';

type Step =
  | { readonly at: 'choose' | 'way-back' }
  | { readonly at: 'codes'; codes: readonly string[] };

/** The page: it goes on by itself once nothing is left to set up. */
export function SetUpPage(): ReactNode {
  const me = useMe();
  const factors = useAsk<Factors>('/v1/me/factors');
  const methods = useMethods();
  const [step, setStep] = useState<Step>({ at: 'choose' });
  const leave = useLeave();
  const error = me.error ?? factors.error ?? methods.error;
  if (me.error?.status === 401) return <Navigate to="/sign-in" replace />;
  if (error !== null) {
    return (
      <OpenFrame title="Set up your sign-in">
        <ProblemMessage error={error} />
      </OpenFrame>
    );
  }
  if (me.data === undefined || factors.data === undefined || methods.obstacle === undefined) {
    return <Loading what="how you can sign in" />;
  }
  const name = personName(me.data.principal);
  if (step.at === 'codes') {
    return (
      <OpenFrame title="Keep your recovery codes" step="Step 3 of 3">
        <RecoveryCodes codes={step.codes} name={name} onKept={leave} />
      </OpenFrame>
    );
  }
  const goOn = (codes: readonly string[]): void => {
    setStep(codes.length > 0 ? { at: 'codes', codes } : { at: 'way-back' });
  };
  if (step.at === 'way-back') {
    return (
      <WayBackStep
        name={name}
        hasPassword={factors.data.hasPassword}
        onCodes={goOn}
        onLeave={leave}
      />
    );
  }
  // Loaded again after all was done: there is nothing left to do here.
  if (me.data.needsSecondFactor !== true) return <LeaveAtOnce />;
  return (
    <ChooseStep
      name={name}
      obstacle={methods.obstacle}
      hasPassword={factors.data.hasPassword}
      onDone={goOn}
    />
  );
}

/** Goes to where the person was led here from. */
function useLeave(): () => void {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const next = useNext();
  return () => {
    queries.clear();
    void navigate(next, { replace: true });
  };
}

function LeaveAtOnce(): ReactNode {
  return <Navigate to={useNext()} replace />;
}

function useNext(): string {
  const { state } = useLocation() as { readonly state: { readonly next?: string } | null };
  return state?.next ?? '/';
}
