/** What stands around every page: the navigation, who is signed in, and how the connection is. @module */
import { ActionIcon, Drawer } from '@mantine/core';
import { Menu as MenuIcon } from 'lucide-react';
import { type ReactNode, Suspense, useEffect, useRef, useState } from 'react';
import { Link, Outlet, useLocation } from 'react-router';
import { Loading } from '../parts/empty.tsx';
import { LiveMark } from './live-mark.tsx';
import { Navigation } from './navigation.tsx';
import { PersonMenu } from './person-menu.tsx';
import styles from './shell.module.css';

/** The frame. */
export function Shell(): ReactNode {
  const [isOpen, setIsOpen] = useState(false);
  const { pathname } = useLocation();
  const main = useRef<HTMLElement>(null);
  const before = useRef(pathname);
  useEffect(() => {
    setIsOpen(false);
    // Who listens to the page hears that it is another one.
    if (before.current !== pathname) main.current?.focus();
    before.current = pathname;
  }, [pathname]);
  return (
    <div className={styles['shell']}>
      <a href="#main" className={styles['skip']}>
        Skip to the page
      </a>
      <header className={styles['bar']}>
        <ActionIcon
          className={styles['burger']}
          variant="subtle"
          color="gray"
          onClick={() => setIsOpen(true)}
          aria-label="Open the navigation"
        >
          <MenuIcon size={20} />
        </ActionIcon>
        <Link to="/" className={styles['brand']}>
          <img src="/holdfast.svg" alt="" width={24} height={24} />
          Holdfast
        </Link>
        <span className={styles['host']}>{location.host}</span>
        <span className={styles['space']} />
        <LiveMark />
        <PersonMenu />
      </header>
      <nav className={styles['side']} aria-label="Pages">
        <Navigation />
      </nav>
      <Drawer opened={isOpen} onClose={() => setIsOpen(false)} title="Holdfast" size="16rem">
        <Navigation />
      </Drawer>
      <main id="main" ref={main} tabIndex={-1} className={styles['main']}>
        <Suspense fallback={<Loading what="the page" />}>
          <Outlet />
        </Suspense>
      </main>
    </div>
  );
}
