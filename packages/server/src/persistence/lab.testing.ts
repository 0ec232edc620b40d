/** Stores in folders of their own, and a token that is none, for tests. @module */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type KeyWrapper, softwareWrapper } from '../crypto/index.ts';
import { TestClock } from '../kernel/clock.testing.ts';
import { Secret, systemRandom } from '../kernel/index.ts';
import type { TokenKeks } from './kek-versions.ts';
import { SealedStore } from './sealed-store.ts';

const random = systemRandom;

/** A token in memory. */
export interface FakeToken extends TokenKeks {
  /** The next key is made, and then nobody hears of it. */
  crashAfterMake: boolean;
}

export function fakeToken(): FakeToken {
  const newKey = (): KeyWrapper => softwareWrapper({ random }, new Secret(random(32)));
  let keys = [newKey()];
  return {
    crashAfterMake: false,
    get keys() {
      return keys;
    },
    make() {
      const key = newKey();
      keys.push(key);
      if (this.crashAfterMake) throw new Error('crash');
      return key;
    },
    keepOnly(key) {
      keys = keys.filter((one) => one === key);
    },
  };
}

/** One registry file that is opened again and again. */
export class StoreLab {
  readonly folder = mkdtempSync(join(tmpdir(), 'holdfast-keys-'));
  readonly path = join(this.folder, 'registry.db');
  readonly clock = new TestClock();
  readonly unsealKey = new Secret(random(32));
  #open: SealedStore | undefined;

  constructor(t: TestContext) {
    t.after(() => {
      if (this.#open?.isOpen === true) this.#open.close();
      rmSync(this.folder, { recursive: true });
    });
  }

  open(): SealedStore {
    const { unsealKey, clock } = this;
    this.#open = new SealedStore(this.path, { unsealKey, random }, { clock });
    return this.#open;
  }
}
