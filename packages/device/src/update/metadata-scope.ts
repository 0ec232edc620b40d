/**
 * What metadata have to be before tuf-js looks at who signed them. Both repositories have the same
 * people as signers, and all devices the same online keys of the director: without this, the root of
 * one would pass as a root of the other, and the answer for one device as that for another.
 *
 * Fields that this version does not know are let through: a device in the field has to be able to
 * take the very update that teaches it of them.
 * @module
 */
import { lineOfRole } from '@holdfast/firmware';
import { Metadata, MetadataKind, type Targets } from '@tufjs/models';
import type { AcceptMetadata } from './tuf-fetcher.ts';
import { updateError } from './update-error.ts';

/** The image repository: roots, targets that only delegate, product lines. */
export const acceptImage: AcceptMetadata = (role, bytes) => {
  const scope = scopeIn(role, bytes);
  const line = lineOfRole(role);
  if (scope.get('repository') !== 'image' || scope.get('line') !== line) throw foreign(role);
  if (role === 'targets') requireDelegations(targetsIn(bytes));
  if (line !== undefined && targetsIn(bytes).delegations !== undefined) {
    throw formError(role, 'a product line delegates nothing');
  }
};

/** The director: its root, and everything else for this device alone. */
export function acceptDirector(device: string): AcceptMetadata {
  return (role, bytes) => {
    const scope = scopeIn(role, bytes);
    const named = role === 'root' ? undefined : device;
    if (scope.get('repository') !== 'director' || scope.get('device') !== named) {
      throw foreign(role);
    }
    if (role !== 'targets') return;
    const { targets, delegations } = targetsIn(bytes);
    if (delegations !== undefined) throw formError(role, 'a director delegates nothing');
    if (Object.keys(targets).length > 1) throw formError(role, 'it names more than one release');
  };
}

/** Reads targets. @param bytes - UTF-8 */
export function targetsIn(bytes: Uint8Array): Targets {
  try {
    const json = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return Metadata.fromJSON(MetadataKind.Targets, json).signed;
  } catch (cause) {
    throw formError('targets', 'they cannot be read', cause);
  }
}

/** Only a product line signs releases, each its own, and what it does not know nobody else may. */
function requireDelegations({ targets, delegations }: Targets): void {
  if (Object.keys(targets).length > 0) throw formError('targets', 'they name releases');
  if (delegations?.succinctRoles !== undefined) throw formError('targets', 'they have hash bins');
  for (const role of Object.values(delegations?.roles ?? {})) {
    const line = lineOfRole(role.name);
    const isOwn = role.paths?.length === 1 && role.paths[0] === `${line}/*/*`;
    if (line === undefined || !LINE.test(line) || !isOwn || !role.terminating) {
      throw formError('targets', `the role ${JSON.stringify(role.name)} is not that of a line`);
    }
  }
}

function scopeIn(role: string, bytes: Uint8Array): ReadonlyMap<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw formError(role, 'it is no JSON', cause);
  }
  return new Map(Object.entries(member(member(value, 'signed'), 'holdfast') ?? {}));
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return new Map<string, unknown>(Object.entries(value)).get(name);
}

function foreign(role: string): Error {
  const what = `The ${role} metadata are for another repository, line or device`;
  return updateError('E_DEVICE_UPDATE_FOREIGN', what);
}

function formError(role: string, what: string, cause?: unknown): Error {
  return updateError('E_DEVICE_UPDATE_METADATA', `The ${role} metadata: ${what}`, cause);
}

const LINE = /^[a-z0-9][a-z0-9-]{0,31}$/u;
