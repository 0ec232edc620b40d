/** What the API shows of people, of what they sign in with, and of their sessions. @module */
import type {
  Factors,
  Invitation,
  PasskeyView,
  PersonView,
  SessionView,
} from '@holdfast/protocol/api';
import type { Clock } from '../kernel/index.ts';
import {
  type Caller,
  type Invited,
  type Passkey,
  type Person,
  type Session,
  canSignIn,
  credentialHash,
  sessionName,
} from '../registry/index.ts';
import type { ServerStatus } from './deps.ts';
import { isoTime } from './views.ts';

const PASSKEY_NAME_CHARACTERS = 16;

/** Names a passkey in lists: its own id may be longer than a path should be. */
export function passkeyName({ id }: Passkey): string {
  return credentialHash(id).slice(0, PASSKEY_NAME_CHARACTERS);
}

export function factorsView({ password, totp, passkeys, recoveryCodes }: Person): Factors {
  return {
    hasPassword: password !== undefined,
    hasTotp: totp !== undefined,
    passkeys: passkeys.map(passkeyView),
    recoveryCodesLeft: recoveryCodes.length,
  };
}

export function sessionView(session: Session, caller: Caller): SessionView {
  const { principal, by, address, startedAtMs, usedAtMs, endsAtMs, idleAtMs } = session;
  return {
    id: sessionName(session),
    principal,
    by,
    address,
    startedAt: isoTime(startedAtMs),
    lastUsedAt: isoTime(usedAtMs),
    expiresAt: isoTime(Math.min(endsAtMs, idleAtMs)),
    isCurrent: session.hash === caller.credentialHash,
  };
}

export function personView(person: Person, clock: Clock): PersonView {
  const { name, role, password, totp, passkeys, oidc, invitation, createdAtMs } = person;
  const factors: PersonView['factors'] = [];
  if (password !== undefined) factors.push('password');
  if (totp !== undefined) factors.push('totp');
  if (passkeys.length > 0) factors.push('passkey');
  if (oidc !== undefined) factors.push('oidc');
  const isLive = invitation !== undefined && clock.nowMs() < invitation.expiresAtMs;
  return {
    name,
    role,
    state: stateOf(person),
    factors,
    createdAt: isoTime(createdAtMs),
    ...(isLive ? { invitedUntil: isoTime(invitation.expiresAtMs) } : {}),
  };
}

export function invitationView(
  { person, code, expiresAtMs }: Invited,
  { clock, server }: { clock: Clock; server: () => ServerStatus },
): Invitation {
  const text = code.expose();
  return {
    person: personView(person, clock),
    code: text,
    link: `${new URL(server().site).origin}/sign-in#invitation=${text}`,
    expiresAt: isoTime(expiresAtMs),
  };
}

function passkeyView(passkey: Passkey): PasskeyView {
  const { name, createdAtMs, lastUsedAtMs, isSynced } = passkey;
  return {
    id: passkeyName(passkey),
    name,
    createdAt: isoTime(createdAtMs),
    isSynced,
    ...(lastUsedAtMs === undefined ? {} : { lastUsedAt: isoTime(lastUsedAtMs) }),
  };
}

function stateOf(person: Person): PersonView['state'] {
  if (person.isDisabled) return 'disabled';
  return canSignIn(person) || person.password !== undefined ? 'active' : 'invited';
}
