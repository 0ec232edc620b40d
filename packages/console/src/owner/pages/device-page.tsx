/** One device: how it is, what it measures, what it was told, and giving it away. @module */
import { useQuery } from '@tanstack/react-query';
import { ArrowLeft } from 'lucide-react';
import type { ReactNode } from 'react';
import { problemOf } from '../../api/problem.ts';
import { Badge } from '../../parts/badge.tsx';
import { readDevice } from '../owner-api.ts';
import { conditionOf, kindOf } from '../parts/device-words.ts';
import { ProblemBox } from '../parts/problem.tsx';
import { When } from '../parts/when.tsx';
import { useContact } from '../use-contact.ts';
import { CommandsCard } from './commands-card.tsx';
import { GiveAwayCard } from './give-away-card.tsx';
import { MessagesCard } from './messages-card.tsx';
import { RefusalsCard } from './refusals-card.tsx';
import { SeriesCard } from './series-card.tsx';
import { useLiveReadings } from './use-live-readings.ts';
import controls from '../parts/controls.module.css';

const ASKED_EVERY_MS = 10_000;

export function DevicePage({ id }: { readonly id: string }): ReactNode {
  const { data, error } = useQuery({
    queryKey: ['device', id],
    queryFn: () => readDevice(id),
    // A device that is not there is not asked for again and again: each time is a refusal.
    refetchInterval: (query) => (isAbsent(query.state.error) ? false : ASKED_EVERY_MS),
  });
  const isGone = isAbsent(error);
  return (
    <section className={controls['stack']}>
      <a className={controls['row']} href="#/">
        <ArrowLeft size={18} aria-hidden="true" />
        My devices
      </a>
      <h1>{id}</h1>
      {isGone && <Gone />}
      {!isGone && data === undefined && error === null && <p role="status">Asking the server…</p>}
      {!isGone && data === undefined && <ProblemBox error={error} />}
      {!isGone && data !== undefined && <OwnDevice device={data} />}
    </section>
  );
}

function isAbsent(error: unknown): boolean {
  return error !== null && problemOf(error).status === 404;
}

/** Whose it is now, or whether there is such a device at all, is nobody's business. */
function Gone(): ReactNode {
  return (
    <div className={controls['card']}>
      <h2>You have no such device</h2>
      <p>
        If it was yours: it was given away or reset, and your rights to it have ended. To have it
        again, add it by the code on its display or label.
      </p>
    </div>
  );
}

function OwnDevice({
  device,
}: {
  readonly device: Awaited<ReturnType<typeof readDevice>>;
}): ReactNode {
  const { isReached } = useContact();
  const { id, since, lastSeen } = device;
  const live = useLiveReadings(id);
  const { word, tone, meaning } = conditionOf(device, isReached);
  return (
    <>
      <div className={controls['stack']}>
        <div className={controls['row']}>
          <Badge tone={tone}>{word}</Badge>
          <span className={controls['quiet']}>
            {kindOf(device)} · yours since <When at={since} />
          </span>
        </div>
        {meaning !== undefined && <p>{meaning}</p>}
        {device.online !== true && (
          <p className={controls['quiet']}>
            {lastSeen === undefined ? (
              'Nothing was heard of it since you have it.'
            ) : (
              <>
                Last heard <When at={lastSeen} />.
              </>
            )}
          </p>
        )}
      </div>
      <RefusalsCard device={device} />
      <SeriesCard deviceId={id} isLive={live && isReached} />
      <CommandsCard deviceId={id} isOnline={device.online === true} />
      <MessagesCard deviceId={id} />
      <GiveAwayCard deviceId={id} />
    </>
  );
}
