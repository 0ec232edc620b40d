/** What became of the updates of a device, over real TLS: kept over a restart, gone with an erasure. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Bundle } from '@holdfast/device';
import { updateStepWords, updateStories } from '@holdfast/protocol';
import { type InProcessServer, startInProcess } from '@holdfast/testkit';
import { People } from './firmware-people.ts';

const ID = 'pump-1';

/** Tells a state of an update, as a device of ours does. */
async function tell(
  { info }: InProcessServer,
  { folder, anchorPem: ca }: Bundle,
  report: { readonly release: string; readonly state: string; readonly why?: string },
): Promise<void> {
  const file = (name: string): Buffer => readFileSync(join(folder, name));
  const identity = { ca, cert: file('client.crt'), key: file('client.key') };
  const headers = { 'content-type': 'application/json' };
  const options = { ...identity, headers, method: 'POST', agent: false };
  const status = await new Promise((resolve, reject) => {
    const sent = request(`${info.enroll}/update/v1/report`, options, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode));
    });
    sent.once('error', reject).end(JSON.stringify(report));
  });
  assert.equal(status, 204);
}

/** The updates of the device in words, the newest first. */
async function words({ client }: InProcessServer): Promise<string[][]> {
  const { steps } = await client.deviceUpdates(ID);
  return updateStories(steps).map((story) => {
    const ofSteps = story.steps.map((step) => updateStepWords(step, story));
    return [story.release ?? 'none'].concat(ofSteps);
  });
}

test('the steps of updates outlive a restart, and are gone when the device is erased', async (t) => {
  let server = await startInProcess(t);
  const bundle = await server.enroll(ID);
  await server.enroll('pump-2');
  const people = new People();
  await people.init(server.client);
  const one = (await people.release(server.client, '1.0.0')).id;
  const two = (await people.release(server.client, '2.0.0')).id;
  assert.deepEqual(await words(server), []);

  await server.client.assignRelease(ID, { release: one, reason: 'a pilot' });
  await tell(server, bundle, { release: one, state: 'downloading' });
  await tell(server, bundle, { release: one, state: 'downloading' });
  await tell(server, bundle, { release: one, state: 'confirmed' });
  await server.client.assignRelease(ID, { release: two });
  await tell(server, bundle, { release: two, state: 'trial' });
  await tell(server, bundle, { release: two, state: 'reverted', why: 'no connection' });
  await server.client.assignRelease(ID, { release: one });
  const all = [
    [two, 'Assigned', 'On trial', 'Went back to the slot before', `Told to run ${one} again`],
    [one, 'Assigned', 'Downloading', 'Confirmed'],
  ];
  assert.deepEqual(await words(server), all);
  const { steps } = await server.client.deviceUpdates(ID);
  const [first] = steps.toReversed();
  assert.ok(first?.what === 'assigned');
  assert.deepEqual([first.by, first.reason, first.release], ['local', 'a pilot', one]);
  assert.ok(steps.some((step) => step.what === 'told' && step.why === 'no connection'));
  assert.deepEqual((await server.client.deviceUpdates('pump-2')).steps, []);

  server = await server.restart();
  assert.deepEqual(await words(server), all);

  await server.client.eraseDevice(ID, 'sold');
  const left = (await server.client.deviceUpdates(ID)).steps;
  assert.ok(
    left.every(({ what }) => what === 'assigned'),
    'what others did stays on the audit log',
  );
});
