/** Pairs this phone, or gives its owner one more device. @module */
import type { OwnedDevice, PairedApp } from '@holdfast/protocol/api';
import { Problem } from '../../api/problem.ts';
import { certificateRequest, newAppKey } from '../identity/app-key.ts';
import { adopt, askProven, identityOf } from '../identity/app-session.ts';
import { askServer, askServerText } from '../identity/ask-server.ts';
import { base64url, derOfPem, sha256 } from '../identity/base64.ts';
import { keep, kept } from '../identity/identity-store.ts';
import type { ReadCode } from './read-code.ts';

/**
 * Pairs this phone by a code: with a device, which gets a new owner, or with an owner who has
 * invited it. When the answer is lost, the same code can be sent again: the key is the same.
 * @throws Problem
 */
export async function pairPhone(read: ReadCode): Promise<void> {
  await requireThisServer(read);
  const keys = (await kept('asked'))?.keys ?? (await newAppKey());
  await keep('asked', { keys });
  const { of, code } = read;
  const body = { of, code, csr: await certificateRequest(keys) };
  const paired = await askServer<PairedApp>('/v1/pair', { method: 'POST', body }).catch(
    inPlainWords,
  );
  await adopt(identityOf(paired, keys));
  // Without this, a browser that is short of space may forget the key.
  await navigator.storage.persist().catch(() => false);
}

/** Gives the owner one more device. @throws Problem */
export async function addDevice(read: ReadCode): Promise<OwnedDevice> {
  await requireThisServer(read);
  const { of, code } = read;
  if (of.startsWith('owner:')) throw invitationHere();
  const body = { of, code };
  return askProven<OwnedDevice>('/v1/app/devices', { method: 'POST', body }).catch(inPlainWords);
}

/** What the server says of a wrong code is for operators, who can make a new one. */
function inPlainWords(error: unknown): never {
  if (!(error instanceof Problem) || error.code !== 'E_ENROLL_PAIR') throw error;
  throw new Problem({
    code: error.code,
    message: 'This code is not right, or does not count any more.',
    fix:
      'Compare the name and each character. A code counts once, and on a display for ten minutes: ' +
      'have the device show a new one, or ask who gave you the device.',
    status: error.status,
  });
}

/** Sends a code to nobody but the server that it is of. @throws Problem */
async function requireThisServer({ anchorPin, host, port }: ReadCode): Promise<void> {
  // A typed code names no server: it is sent to the one whose page this is, as its address says.
  if (anchorPin === undefined) return;
  const anchor = await askServerText('/v1/anchor');
  if (base64url(await sha256(derOfPem(anchor))) === anchorPin) return;
  throw new Problem({
    code: 'other-server',
    message: `This code is of another server: ${host}.`,
    fix: `Nothing was sent. Open https://${host}:${port}/app on this phone, and scan the code there.`,
    status: 0,
  });
}

function invitationHere(): Problem {
  return new Problem({
    code: 'invitation',
    message: 'This code invites a phone that is not paired yet, and this one is.',
    fix: 'Scan it with the other phone. To move this one to that owner, remove it first.',
    status: 0,
  });
}
