/** The pages: where each is, and what it is called. @module */
import type { LucideIcon } from 'lucide-react';
import {
  BookCheck,
  Cpu,
  KeyRound,
  LayoutDashboard,
  PackageCheck,
  Rocket,
  Settings,
  ShieldX,
  UsersRound,
} from 'lucide-react';
import { type ComponentType, type LazyExoticComponent, lazy } from 'react';

type Lazy = LazyExoticComponent<ComponentType>;

/** A page. */
export interface PageRoute {
  readonly path: string;
  readonly page: Lazy;
}

/** A page that the navigation leads to. */
export interface NavRoute extends PageRoute {
  readonly label: string;
  readonly icon: LucideIcon;
}

const page = (load: () => Promise<ComponentType>): Lazy =>
  lazy(async () => ({ default: await load() }));

/** Those of the navigation, in its order. */
export const NAV_ROUTES: readonly NavRoute[] = [
  {
    path: '/',
    label: 'Overview',
    icon: LayoutDashboard,
    page: page(async () => (await import('./pages/overview/overview-page.tsx')).OverviewPage),
  },
  {
    path: '/devices',
    label: 'Devices',
    icon: Cpu,
    page: page(async () => (await import('./pages/devices/devices-page.tsx')).DevicesPage),
  },
  {
    path: '/refusals',
    label: 'Refusals',
    icon: ShieldX,
    page: page(async () => (await import('./pages/refusals/refusals-page.tsx')).RefusalsPage),
  },
  {
    path: '/audit',
    label: 'Audit',
    icon: BookCheck,
    page: page(async () => (await import('./pages/audit/audit-page.tsx')).AuditPage),
  },
  {
    path: '/firmware',
    label: 'Firmware',
    icon: PackageCheck,
    page: page(async () => (await import('./pages/firmware/firmware-page.tsx')).FirmwarePage),
  },
  {
    path: '/rollouts',
    label: 'Rollouts',
    icon: Rocket,
    page: page(async () => (await import('./pages/rollouts/rollouts-page.tsx')).RolloutsPage),
  },
  {
    path: '/people',
    label: 'People',
    icon: UsersRound,
    page: page(async () => (await import('./pages/people/people-page.tsx')).PeoplePage),
  },
  {
    path: '/access',
    label: 'Access',
    icon: KeyRound,
    page: page(async () => (await import('./pages/access/access-page.tsx')).AccessPage),
  },
  {
    path: '/settings',
    label: 'Settings',
    icon: Settings,
    page: page(async () => (await import('./pages/settings/settings-page.tsx')).SettingsPage),
  },
];

/** Those for whoever is not, or not fully, signed in. */
export const OPEN_ROUTES: readonly PageRoute[] = [
  {
    path: '/sign-in',
    page: page(async () => (await import('./pages/sign-in/sign-in-page.tsx')).SignInPage),
  },
  {
    path: '/set-up',
    page: page(async () => (await import('./pages/set-up/set-up-page.tsx')).SetUpPage),
  },
];

/** Those that are reached from elsewhere. */
export const OTHER_ROUTES: readonly PageRoute[] = [
  {
    path: '/devices/:id/:tab?',
    page: page(async () => (await import('./pages/device/device-page.tsx')).DevicePage),
  },
  {
    path: '/account',
    page: page(async () => (await import('./pages/account/account-page.tsx')).AccountPage),
  },
  {
    path: '/welcome',
    page: page(async () => (await import('./pages/welcome/welcome-page.tsx')).WelcomePage),
  },
  {
    path: '/rollouts/:id',
    page: page(async () => (await import('./pages/rollouts/rollout-page.tsx')).RolloutPage),
  },
];
