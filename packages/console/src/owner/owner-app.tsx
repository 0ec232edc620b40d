/** The owner's page: which of its pages is shown, and what stands around all of them. @module */
import { QueryClientProvider, useQuery } from '@tanstack/react-query';
import { Download, House, Smartphone } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import { Message } from '../parts/message.tsx';
import { type OwnerRoute, useHashRoute } from './hash-route.ts';
import { forgetIdentity } from './identity/app-session.ts';
import { kept } from './identity/identity-store.ts';
import { beginAnew, createOwnerQueries } from './owner-query.ts';
import { AddPage } from './pages/add-page.tsx';
import { DevicePage } from './pages/device-page.tsx';
import { DevicesPage } from './pages/devices-page.tsx';
import { PhonesPage } from './pages/phones-page.tsx';
import { UpdatesPage, useUpdates } from './pages/updates-page.tsx';
import { Button } from './parts/button.tsx';
import { ErrorBoundary } from './parts/error-boundary.tsx';
import { ProblemBox } from './parts/problem.tsx';
import { useContact } from './use-contact.ts';
import styles from './owner-app.module.css';
import controls from './parts/controls.module.css';

/** All of it. */
export function OwnerApp(): ReactNode {
  const [queries] = useState(createOwnerQueries);
  return (
    <QueryClientProvider client={queries}>
      <ErrorBoundary>
        <Whole />
      </ErrorBoundary>
    </QueryClientProvider>
  );
}

function Whole(): ReactNode {
  const route = useHashRoute();
  const identity = useQuery({
    queryKey: ['identity'],
    queryFn: async () => ((await kept('now')) ?? (await kept('next')))?.app ?? '',
    staleTime: Infinity,
  });
  const { isEnded } = useContact();
  const { data: app, error, refetch } = identity;
  useEffect(() => {
    globalThis.scrollTo(0, 0);
  }, [route.page]);
  const linked = route.page === 'pair' ? { linked: route.text } : {};
  const key = JSON.stringify(route);
  if (app === undefined) {
    return (
      <main className={styles['main']}>
        {error === null ? <p role="status">One moment…</p> : <ProblemBox error={error} />}
      </main>
    );
  }
  if (app === '') {
    return (
      <main className={styles['main']}>
        <AddPage key={key} isPaired={false} {...linked} />
      </main>
    );
  }
  if (isEnded) return <Ended onAgain={() => void refetch()} />;
  return (
    <div className={styles['page']}>
      <main className={styles['main']}>
        <OfflineNotice />
        {route.page === 'add' || route.page === 'pair' ? (
          <AddPage key={key} isPaired {...linked} />
        ) : (
          <Page key={key} route={route} />
        )}
      </main>
      <Tabs route={route} />
    </div>
  );
}

function Page({ route }: { readonly route: OwnerRoute }): ReactNode {
  if (route.page === 'device') return <DevicePage id={route.id} />;
  if (route.page === 'updates') return <UpdatesPage />;
  return route.page === 'phones' ? <PhonesPage /> : <DevicesPage />;
}

/** Nothing old is shown as if it were of now. */
function OfflineNotice(): ReactNode {
  const { isReached, heardMs } = useContact();
  if (isReached) return null;
  const time = new Date(heardMs).toLocaleTimeString();
  return (
    <div className={styles['notice']}>
      <Message tone="warn" title="The server cannot be reached.">
        What you see is from {time}, and not of now. The page goes on by itself.
      </Message>
    </div>
  );
}

function Ended({ onAgain }: { readonly onAgain: () => void }): ReactNode {
  const pairAgain = async (): Promise<void> => {
    await forgetIdentity();
    beginAnew();
    onAgain();
  };
  return (
    <main className={styles['main']}>
      <section className={controls['stack']}>
        <h1>This phone is not paired any more</h1>
        <p>
          Another phone of yours may have removed it, or this page was not opened for a month. Your
          devices are as they were.
        </p>
        <p>
          If you have another phone that is paired, choose “Invite another phone” there. If not, ask
          the operator of the server.
        </p>
        <Button kind="main" isWide onPress={() => void pairAgain()}>
          Pair this phone again
        </Button>
      </section>
    </main>
  );
}

function Tabs({ route }: { readonly route: OwnerRoute }): ReactNode {
  const waiting = useUpdates().data?.filter(({ from }) => from === undefined).length ?? 0;
  const isAt = (...pages: readonly OwnerRoute['page'][]): 'page' | undefined =>
    pages.includes(route.page) ? 'page' : undefined;
  return (
    <nav className={styles['bar']} aria-label="Pages">
      <div className={styles['tabs']}>
        <a className={styles['tab']} href="#/" aria-current={isAt('devices', 'device', 'add')}>
          <House size={20} aria-hidden="true" />
          Devices
        </a>
        <a className={styles['tab']} href="#/updates" aria-current={isAt('updates')}>
          <Download size={20} aria-hidden="true" />
          Updates
          {waiting > 0 && (
            <span className={styles['count']} aria-label={`${waiting} wait for you`}>
              {waiting}
            </span>
          )}
        </a>
        <a className={styles['tab']} href="#/phones" aria-current={isAt('phones')}>
          <Smartphone size={20} aria-hidden="true" />
          Phones
        </a>
      </div>
    </nav>
  );
}
