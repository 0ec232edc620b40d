/** Slows down guessing at sign-ins, without letting it lock anybody out. @module */
import { refuse } from '@holdfast/protocol';
import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';
import { HoldOff } from '../kernel/index.ts';
import { credentialHash } from '../registry/index.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { RefusedRequest } from './errors.ts';
import { SIGN_IN_NAMES_MAX, SIGN_IN_HOLD_MS_MAX, SIGN_IN_WRONG_MAX } from './limits.ts';
import type { Routes } from './routes.ts';

/** The cookie of a browser in which somebody has signed in before; it is no credential. */
export const BROWSER_COOKIE = '__Host-holdfast-browser';

/** A password or code that is being looked at. It counts as wrong when neither is called. */
export interface SignInAttempt {
  /** It was no wrong one, or was not looked at. */
  readonly giveBack: () => void;
  /** It was right: a wrong one of before is forgiven, too. */
  readonly succeed: () => void;
}

const MINUTE_MS = 60_000;
const FIRST_HOLD_MS = 30_000;
const DAY_MS = 86_400_000;

/**
 * Accounts of wrong passwords and codes: one for each network, and one for each name that is
 * tried, also where nobody has that name, so that the waiting tells nobody who exists. A browser in
 * which a person has signed in before has an account of its own: guessing elsewhere at the name
 * does not slow it down. Passkeys are not counted at all: nobody can guess a signature.
 */
export class SignInLimits {
  readonly #deps: ApiDeps;
  readonly #routes: Routes;
  readonly #accounts: HoldOff;

  constructor(routes: Routes, deps: ApiDeps) {
    this.#routes = routes;
    this.#deps = deps;
    this.#accounts = new HoldOff(deps.clock, {
      failuresMax: SIGN_IN_WRONG_MAX,
      forgiveMs: MINUTE_MS,
      holdMs: FIRST_HOLD_MS,
      holdMsMax: SIGN_IN_HOLD_MS_MAX,
      forgetMs: DAY_MS,
      keysMax: SIGN_IN_NAMES_MAX,
    });
  }

  /**
   * Begins an attempt, which counts as a wrong one until it says otherwise: many at once are no
   * more guesses than many in a row. Refuses with `E_OPERATE_RATE` one that comes too soon after
   * too many wrong ones.
   */
  begin(c: Context<ApiEnv>, name: string): SignInAttempt {
    const browser = this.#knownBrowser(c, name);
    if (browser === undefined) this.#routes.requireNotHeldOff(c);
    const key = browser ?? nameKey(name);
    if (this.#accounts.heldMs(key) > 0) {
      throw new RefusedRequest(refuse('E_OPERATE_RATE', 'too many wrong attempts with this name'));
    }
    this.#accounts.fail(key);
    if (browser === undefined) this.#routes.countFailedSignIn(c);
    const giveBack = (): void => {
      this.#accounts.takeBack(key);
      if (browser === undefined) this.#routes.takeBackFailedSignIn(c);
    };
    const succeed = (): void => {
      giveBack();
      this.#accounts.succeed(key);
    };
    return { giveBack, succeed };
  }

  #knownBrowser(c: Context<ApiEnv>, name: string): string | undefined {
    const cookie = getCookie(c, BROWSER_COOKIE);
    if (cookie === undefined || !this.#deps.people.browsers.isKnown(name, cookie)) return undefined;
    return `browser ${credentialHash(cookie)}`;
  }
}

/** Hashed, because somebody may have typed a password where the name belongs. */
function nameKey(name: string): string {
  return `name ${credentialHash(name.toLowerCase())}`;
}
