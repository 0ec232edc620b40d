/** Gives a device away: what ends and what is erased, and the name typed. @module */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { goTo } from '../hash-route.ts';
import { giveAway } from '../owner-api.ts';
import { Button } from '../parts/button.tsx';
import { Field } from '../parts/field.tsx';
import { ProblemBox } from '../parts/problem.tsx';
import controls from '../parts/controls.module.css';
import styles from './give-away-card.module.css';

export function GiveAwayCard({ deviceId }: { readonly deviceId: string }): ReactNode {
  const queries = useQueryClient();
  const [typed, setTyped] = useState<string>();
  const give = useMutation({
    mutationFn: () => giveAway(deviceId),
    onSuccess: () => {
      goTo('#/', { replace: true });
      return queries.invalidateQueries();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (typed === deviceId) give.mutate();
  };
  return (
    <div className={controls['card']}>
      <h2>Give the device away</h2>
      <p>Before you sell it, pass it on or throw it away.</p>
      {typed === undefined && (
        <Button kind="danger" isWide onPress={() => setTyped('')}>
          Give it away…
        </Button>
      )}
      {typed !== undefined && (
        <form className={controls['stack']} onSubmit={submit}>
          <ul className={styles['points']}>
            <li>All of your phones lose it at once: you see and command it no more.</li>
            <li>
              All that it has sent is erased for good, for you and for the operator. It does not
              come back, not even with the device.
            </li>
            <li>Commands that wait for it are removed.</li>
            <li>
              The device goes on to work, and can show a code for its next owner. That you had it
              stays in the log of the server.
            </li>
          </ul>
          <Field
            label={`Type ${deviceId} to go on`}
            value={typed}
            onText={(text) => setTyped(text.trim())}
          />
          <ProblemBox error={give.error} />
          <div className={controls['buttons']}>
            <Button
              kind="danger"
              type="submit"
              isWide
              isDisabled={typed !== deviceId || give.isPending}
            >
              {give.isPending ? 'Erasing…' : 'Give it away and erase what it sent'}
            </Button>
            <Button isWide onPress={() => setTyped(undefined)}>
              Keep it
            </Button>
          </div>
        </form>
      )}
    </div>
  );
}
