/** The updates that wait for the owner. @module */
import type { OwnedUpdate } from '@holdfast/protocol/api';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Badge } from '../../parts/badge.tsx';
import { agreeToUpdate, listUpdates } from '../owner-api.ts';
import { Button } from '../parts/button.tsx';
import { Field } from '../parts/field.tsx';
import { momentText } from '../parts/moment-text.ts';
import { ProblemBox } from '../parts/problem.tsx';
import controls from '../parts/controls.module.css';

const ASKED_EVERY_MS = 60_000;
const MINUTE_MS = 60_000;
const NIGHT_HOUR = 3;

/** The updates that wait; the navigation shows how many. */
export function useUpdates(): ReturnType<typeof useQuery<readonly OwnedUpdate[]>> {
  return useQuery<readonly OwnedUpdate[]>({
    queryKey: ['updates'],
    queryFn: listUpdates,
    refetchInterval: ASKED_EVERY_MS,
  });
}

export function UpdatesPage(): ReactNode {
  const { data, error } = useUpdates();
  return (
    <section className={controls['stack']}>
      <h1>Updates</h1>
      {data === undefined && error === null && <p role="status">Asking the server…</p>}
      {data === undefined && <ProblemBox error={error} />}
      {data?.length === 0 && (
        <div className={controls['card']}>
          <h2>Nothing waits for you</h2>
          <p>
            When the operator has an update for one of your devices, it stands here, and you say
            when it may be installed.
          </p>
        </div>
      )}
      {data?.map((update) => (
        <UpdateCard key={update.device} update={update} />
      ))}
    </section>
  );
}

function UpdateCard({ update }: { readonly update: OwnedUpdate }): ReactNode {
  const { device, version, severity, fixes, notice, latestAt, from } = update;
  const queries = useQueryClient();
  const [later, setLater] = useState<string>();
  const agree = useMutation({
    mutationFn: (at?: string) => agreeToUpdate(device, at),
    onSuccess: () => {
      setLater(undefined);
      return queries.invalidateQueries({ queryKey: ['updates'] });
    },
  });
  const latest = momentText(latestAt);
  return (
    <article className={controls['card']}>
      <div className={controls['heading']}>
        <h2>
          {device}: version {version}
        </h2>
        {severity !== undefined && (
          <Badge tone={severity === 'critical' || severity === 'high' ? 'bad' : 'info'}>
            {severity}
          </Badge>
        )}
      </div>
      {notice !== undefined && <p>{notice}</p>}
      {fixes.length > 0 && <p>It repairs {fixes.join(', ')}.</p>}
      <p className={controls['quiet']}>
        {from === undefined
          ? `The device restarts for it. Without an answer it is installed on ${latest}.`
          : `You have agreed: it is installed from ${momentText(from)} on.`}
      </p>
      <ProblemBox error={agree.error} />
      <div className={controls['buttons']}>
        <Button
          kind="main"
          isWide
          isDisabled={agree.isPending}
          onPress={() => agree.mutate(undefined)}
        >
          {agree.isPending ? 'Telling the server…' : 'Install it now'}
        </Button>
        {later === undefined ? (
          <Button isWide onPress={() => setLater(proposedTime(Date.now(), Date.parse(latestAt)))}>
            Choose a time
          </Button>
        ) : (
          <form
            className={controls['stack']}
            onSubmit={(event) => {
              event.preventDefault();
              if (later !== '') agree.mutate(new Date(later).toISOString());
            }}
          >
            <Field
              label="Install it from"
              type="datetime-local"
              hint={`At the latest ${latest}.`}
              value={later}
              onText={setLater}
            />
            <Button type="submit" isWide isDisabled={agree.isPending || later === ''}>
              Install it then
            </Button>
          </form>
        )}
      </div>
    </article>
  );
}

/** Three in the coming night, when nobody needs the device; as the field has it, in local time. */
function proposedTime(nowMs: number, latestMs: number): string {
  const night = new Date(nowMs);
  night.setHours(NIGHT_HOUR, 0, 0, 0);
  if (night.getTime() <= nowMs) night.setDate(night.getDate() + 1);
  const at = new Date(Math.min(night.getTime(), latestMs));
  const localMs = at.getTime() - at.getTimezoneOffset() * MINUTE_MS;
  return new Date(localMs).toISOString().slice(0, 'YYYY-MM-DDTHH:MM'.length);
}
