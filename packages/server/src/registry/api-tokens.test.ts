import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandom } from '../kernel/index.ts';
import { API_TOKENS_MAX, ApiTokens } from './api-tokens.ts';
import { codeOf, openPeopleLab, present } from './people-lab.testing.ts';

test('as many tokens as the limit may live; an ended one makes room', (t) => {
  const { store, clock } = openPeopleLab(t);
  const tokens = new ApiTokens(store, { clock, random: systemRandom });
  const wish = { principal: 'person:ada', label: 'lab', lifeMs: 10_000 };
  const add = (lifeMs: number) => {
    const made = tokens.make({ ...wish, lifeMs });
    tokens.keep(present(made).record);
    return present(made).record;
  };
  const short = add(1_000);
  for (let i = 1; i < API_TOKENS_MAX; i++) add(10_000);
  assert.equal(codeOf(tokens.make(wish)), 'E_OPERATE_CONFLICT');
  clock.ms += 1_000;
  assert.equal(tokens.all().length, API_TOKENS_MAX - 1);
  add(10_000);
  assert.equal(codeOf(tokens.make(wish)), 'E_OPERATE_CONFLICT');
  // What has ended is forgotten on the disk, too.
  const reopened = new ApiTokens(store, { clock, random: systemRandom });
  clock.ms -= 1_000;
  assert.equal(reopened.byId(short.id), undefined);
  assert.equal(reopened.all().length, API_TOKENS_MAX);
});

test('a token that was made and not kept is none', (t) => {
  const { store, clock } = openPeopleLab(t);
  const tokens = new ApiTokens(store, { clock, random: systemRandom });
  const wish = { principal: 'person:ada', label: 'lab', lifeMs: 1_000 };
  const { record, token } = present(tokens.make(wish));
  assert.match(token.expose(), /^hf_[\w-]{43}$/);
  assert.equal(tokens.byHash(record.hash), undefined);
  tokens.keep(record);
  assert.deepEqual(tokens.byHash(record.hash), record);
});
