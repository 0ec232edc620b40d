/** All routes about people: how they sign in, who is signed in, and who there is. @module */
import type { ApiDeps } from './deps.ts';
import { addFactorRoutes } from './factor-routes.ts';
import { addOidcRoutes } from './oidc-routes.ts';
import { addPasskeyRoutes } from './passkey-routes.ts';
import { addPersonRoutes } from './person-routes.ts';
import type { Routes } from './routes.ts';
import { addSessionRoutes } from './session-routes.ts';
import { SignInLimits } from './sign-in-limits.ts';
import { addSignInRoutes } from './sign-in-routes.ts';
import { addTokenRoutes } from './token-routes.ts';

export function addPeopleRoutes(routes: Routes, deps: ApiDeps): void {
  // One for all of them: whoever guesses gets no second account by another route.
  const limits = new SignInLimits(routes, deps);
  addSignInRoutes(routes, deps, limits);
  addPasskeyRoutes(routes, deps);
  addOidcRoutes(routes, deps);
  addTokenRoutes(routes, deps);
  addFactorRoutes(routes, deps, limits);
  addSessionRoutes(routes, deps);
  addPersonRoutes(routes, deps);
}
