/** The pages, one below the other. @module */
import type { ReactNode } from 'react';
import { NavLink } from 'react-router';
import { useMe } from '../api/use-me.ts';
import { NAV_ROUTES } from '../routes.tsx';
import { lackingFor } from './page-needs.ts';
import styles from './navigation.module.css';

/** The navigation, of what the person can use. */
export function Navigation(): ReactNode {
  const may = useMe().data?.may;
  const routes = NAV_ROUTES.filter(({ path }) => lackingFor(path, may) === undefined);
  return (
    <ul className={styles['list']}>
      {routes.map(({ path, label, icon: Icon }) => (
        <li key={path}>
          <NavLink to={path} end={path === '/'} className={styles['link'] ?? ''}>
            <Icon size={17} aria-hidden="true" />
            {label}
          </NavLink>
        </li>
      ))}
    </ul>
  );
}
