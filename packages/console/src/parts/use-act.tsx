/** Does what a person asked for; shows a second factor again where the server wants one. @module */
import { type QueryKey, useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, createContext, useContext, useState } from 'react';
import { type Problem, problemOf } from '../api/problem.ts';
import { StepUpDialog } from './step-up-dialog.tsx';

/** Opens the dialog. @returns whether the factor was shown. */
type StepUp = () => Promise<boolean>;

const StepUpContext = createContext<StepUp>(() => Promise.resolve(false));

/** Puts the dialog around the pages. */
export function StepUpProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const [done, setDone] = useState<((isDone: boolean) => void) | undefined>();
  const stepUp: StepUp = () =>
    new Promise((resolve) => {
      setDone(() => resolve);
    });
  const finish = (isDone: boolean): void => {
    done?.(isDone);
    setDone(undefined);
  };
  return (
    <StepUpContext value={stepUp}>
      {children}
      <StepUpDialog isOpen={done !== undefined} onDone={finish} />
    </StepUpContext>
  );
}

/** An act of a person, and how it goes. */
export interface ActState<I, O> {
  readonly run: (input: I) => void;
  /** The same, for who goes on afterwards; rejects with a `Problem`. */
  readonly runAsync: (input: I) => Promise<O>;
  readonly isBusy: boolean;
  readonly problem: Problem | null;
  readonly result: O | undefined;
  readonly reset: () => void;
}

/** What comes after an act. */
export interface ActOptions<O> {
  /** Keys of answers that are no longer true then; see `keyOf`. */
  readonly changes?: readonly QueryKey[];
  readonly onDone?: (result: O) => void;
}

/**
 * Wraps a request that changes something. When the server asks for a second factor again
 * (`E_OPERATE_STEP_UP`), the dialog opens, and the same request is sent once more.
 */
export function useAct<I, O>(
  act: (input: I) => Promise<O>,
  { changes = [], onDone }: ActOptions<O> = {},
): ActState<I, O> {
  const stepUp = useContext(StepUpContext);
  const queries = useQueryClient();
  const mutation = useMutation<O, Problem, I>({
    mutationFn: async (input) => {
      try {
        return await act(input);
      } catch (error) {
        const problem = problemOf(error);
        if (problem.code !== 'E_OPERATE_STEP_UP' || !(await stepUp())) throw problem;
        return act(input);
      }
    },
    onSuccess: async (result) => {
      await Promise.all(changes.map((queryKey) => queries.invalidateQueries({ queryKey })));
      onDone?.(result);
    },
  });
  return {
    run: (input) => mutation.mutate(input),
    runAsync: (input) => mutation.mutateAsync(input),
    isBusy: mutation.isPending,
    problem: mutation.error,
    result: mutation.data,
    reset: () => mutation.reset(),
  };
}
