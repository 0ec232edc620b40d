/** A store of people and a clock, for the tests of this folder. @module */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import { type Clock, Secret, systemRandom } from '../kernel/index.ts';
import { SealedStore } from '../persistence/index.ts';
import { People } from './people.ts';

/** A clock that the test moves; it has no timers, because nothing of people uses one. */
export class StillClock implements Clock {
  ms: number = Date.UTC(2026, 10, 21);

  nowMs(): number {
    return this.ms;
  }

  monotonicMs(): number {
    return this.ms;
  }

  after(): never {
    throw new Error('people set no timers');
  }
}

/** The parts below the people. */
export interface PeopleLab {
  readonly clock: StillClock;
  readonly store: SealedStore;
  readonly people: People;
  /** People as the next start of the server would find them. */
  readonly restart: () => People;
}

export function openPeopleLab(context: TestContext): PeopleLab {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-people-'));
  const random = systemRandom;
  const clock = new StillClock();
  const unsealKey = new Secret(random(32));
  const store = new SealedStore(join(folder, 'registry.db'), { unsealKey, random });
  context.after(() => {
    store.close();
    rmSync(folder, { recursive: true });
  });
  const restart = (): People => new People(store, { clock, random });
  return { clock, store, people: restart(), restart };
}

/** The value, when it is no refusal. */
export function present<T>(value: T | Refusal | undefined): T {
  if (value instanceof Refusal) throw new Error(`${value.code}: ${value.detail}`);
  if (value === undefined) throw new Error('there is none');
  return value;
}

/** The code of a refusal; anything else fails the test. */
export function codeOf(value: unknown): string {
  if (value instanceof Refusal) return value.code;
  throw new Error('no refusal');
}
