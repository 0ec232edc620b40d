import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type CeremonyFaults, SoftAuthenticator } from './authenticator.testing.ts';
import { CHALLENGE_LIFE_MS } from './limits.ts';
import { type PeopleLab, codeOf, openPeopleLab, present } from './people-lab.testing.ts';
import type { Person } from './people-records.ts';

const RP = { id: 'iot.example.com', origin: 'https://iot.example.com:8443' };

interface PasskeyLab extends PeopleLab {
  readonly ada: () => Person;
  readonly authenticator: SoftAuthenticator;
  /** Makes a passkey and gives it to ada. */
  readonly add: (faults?: CeremonyFaults) => Promise<unknown>;
  /** Signs in with it. */
  readonly signIn: (faults?: CeremonyFaults) => Promise<unknown>;
}

function openLab(t: TestContext): PasskeyLab {
  const lab = openPeopleLab(t);
  const { people } = lab;
  const invited = present(people.membership.invite({ name: 'ada', role: 'administrator' }));
  people.factors.withUserHandle(invited.person);
  const ada = () => present(people.byName('ada'));
  const authenticator = new SoftAuthenticator(RP.origin);
  const ceremony = { rp: RP, purpose: 'add:s1', name: 'phone' } as const;
  const add = async (faults?: CeremonyFaults) => {
    const options = await people.passkeys.creationOptions(ada(), ceremony);
    const credential = authenticator.create(options, faults);
    const passkey = await people.passkeys.finishCreation(credential, ceremony);
    return 'publicKey' in passkey ? people.factors.addPasskey(ada(), passkey) : passkey;
  };
  const signIn = async (faults?: CeremonyFaults) => {
    const options = await people.passkeys.requestOptions({ rp: RP, purpose: 'sign-in' });
    return people.checkPasskey(authenticator.get(options, faults), RP);
  };
  return { ...lab, ada, authenticator, add, signIn };
}

test('a passkey is made, kept over a restart, and signs in', async (t) => {
  const lab = openLab(t);
  present(await lab.add());
  const person = lab.restart().byName('ada');
  assert.equal(person?.passkeys.length, 1);
  assert.equal(person.passkeys[0]?.name, 'phone');
  assert.equal(await lab.signIn(), lab.people.byName('ada'));
  assert.equal(lab.ada().passkeys[0]?.lastUsedAtMs, lab.clock.ms);
});

test('options ask for a discoverable passkey and for the verification of the person', async (t) => {
  const { people, ada } = openLab(t);
  const creation = await people.passkeys.creationOptions(ada(), { rp: RP, purpose: 'add:s1' });
  const { authenticatorSelection, attestation, rp } = creation;
  assert.deepEqual(
    [authenticatorSelection, attestation, rp],
    [
      { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
      'none',
      { name: 'Holdfast', id: RP.id },
    ],
  );
  const request = await people.passkeys.requestOptions({ rp: RP, purpose: 'sign-in' });
  assert.equal(request['userVerification'], 'required');
});

const WRONG_CREATIONS: Readonly<Record<string, CeremonyFaults>> = {
  'from another origin': { origin: 'https://iot.example.com:9443' },
  'for another host': { rpId: 'evil.example' },
  'without verification of the person': { flags: 0x01 },
  'without presence of the person': { flags: 0x04 },
  'with a challenge that is none of ours': { challenge: Buffer.alloc(56).toString('base64url') },
  'of a use instead of a creation': { type: 'webauthn.get' },
  'with a certificate': { format: 'packed' },
  'with an attestation that would be looked up in the net': { format: 'android-safetynet' },
};

for (const [how, faults] of Object.entries(WRONG_CREATIONS)) {
  test(`a new passkey ${how} is refused`, async (t) => {
    const { add, ada } = openLab(t);
    assert.equal(codeOf(await add(faults)), 'E_OPERATE_INPUT');
    assert.deepEqual(ada().passkeys, []);
    present(await add());
  });
}

const WRONG_USES: Readonly<Record<string, CeremonyFaults>> = {
  'from another origin': { origin: 'https://evil.example' },
  'for another host': { rpId: 'evil.example' },
  'without verification of the person': { flags: 0x01 },
  'with a challenge that is none of ours': { challenge: 'AAAA' },
  'of a creation instead of a use': { type: 'webauthn.create' },
  'of a copy, whose counter stands still': { counter: 1 },
  'of somebody else': { userHandle: 'AAAA' },
};

for (const [how, faults] of Object.entries(WRONG_USES)) {
  test(`a passkey ${how} signs nobody in`, async (t) => {
    const { add, signIn } = openLab(t);
    present(await add());
    assert.equal(codeOf(await signIn(faults)), 'E_OPERATE_SIGN_IN');
    present((await signIn({ counter: 9 })) as Person);
  });
}

test('an answer counts once, for its purpose, and in time', async (t) => {
  const { people, add, authenticator, ada, clock } = openLab(t);
  present(await add());
  const purpose = 'sign-in';
  const answer = async () =>
    authenticator.get(await people.passkeys.requestOptions({ rp: RP, purpose }));
  const once = await answer();
  present(await people.checkPasskey(once, RP));
  assert.equal(codeOf(await people.checkPasskey(once, RP)), 'E_OPERATE_SIGN_IN');
  const stepUp = { rp: RP, purpose: 'step-up:s1' } as const;
  assert.equal(codeOf(await people.usePasskey(ada(), await answer(), stepUp)), 'E_OPERATE_SIGN_IN');
  const late = await answer();
  clock.ms += CHALLENGE_LIFE_MS;
  assert.equal(codeOf(await people.checkPasskey(late, RP)), 'E_OPERATE_SIGN_IN');
});

test('a signature by another key, and an unknown passkey, sign nobody in', async (t) => {
  const { people, add, authenticator } = openLab(t);
  present(await add());
  const options = await people.passkeys.requestOptions({ rp: RP, purpose: 'sign-in' });
  const other = new SoftAuthenticator(RP.origin).get(options);
  assert.equal(codeOf(await people.checkPasskey(other, RP)), 'E_OPERATE_SIGN_IN');
  const { id } = authenticator;
  const forged = { ...other, id, rawId: id, response: { ...other.response, userHandle: null } };
  assert.equal(codeOf(await people.checkPasskey(forged, RP)), 'E_OPERATE_SIGN_IN');
});

test('a passkey that is known is not added again', async (t) => {
  const { add, ada } = openLab(t);
  present(await add());
  assert.equal(codeOf(await add()), 'E_OPERATE_CONFLICT');
  assert.equal(ada().passkeys.length, 1);
});
