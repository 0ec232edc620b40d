/** What the caller may do to one device now, so that a page need not offer what would be refused. @module */
import {
  DEVICE_ACTS,
  DEVICE_POSSIBLE_ACTS,
  type DeviceAct,
  DevicePathSchema,
  type DevicePossibility,
  type DevicePossibleAct,
  DeviceRightsSchema,
} from '@holdfast/protocol/api';
import { MAY_NOT_ENROLL } from '../enroll/index.ts';
import type { ActionOn } from '../policy/index.ts';
import { type Caller, type Device, LIFE_CYCLE, whyNot } from '../registry/index.ts';
import { type RequestAccess, permitterOf } from './access.ts';
import type { ApiDeps } from './deps.ts';
import { ACTION_OF } from './device-acts.ts';
import { type Routes, json } from './routes.ts';

const SERVER = { kind: 'server' } as const;

/** What the policy is asked for each act. */
const ACTIONS: Readonly<Record<Exclude<DevicePossibleAct, DeviceAct>, ActionOn<'device'>>> = {
  'set-group': 'device:group',
  'set-tags': 'device:tag',
  'set-hardware': 'device:hardware',
  claim: 'device:claim',
  'pair-code': 'device:pair',
  command: 'device:command',
  'api-key': 'device:api-key',
  'assign-release': 'device:update',
  prove: 'audit:prove',
  erase: 'device:erase',
  reset: 'device:reset',
};

export function addDeviceRightsRoutes(routes: Routes, { owners }: Pick<ApiDeps, 'owners'>): void {
  routes.add(
    { action: 'device:read', on: 'device' },
    {
      method: 'get',
      path: '/v1/devices/{id}/rights',
      summary: 'Tells what the caller may do to a device now, and why not the rest.',
      request: { params: DevicePathSchema },
      responses: { 200: json(DeviceRightsSchema, 'All acts.') },
    },
    (c) => {
      const device = c.get('device');
      const [access, caller] = [c.get('access'), c.get('caller')];
      const hasOwner = owners.ownerOf(device.id) !== undefined;
      const acts = DEVICE_POSSIBLE_ACTS.map((act) =>
        possibilityOf(act, { device, access, caller, hasOwner }),
      );
      const reads = {
        refusals: access.stillPermits(SERVER, 'refusal:read'),
        policy: access.stillPermits(SERVER, 'policy:read'),
      };
      return c.json({ acts, reads }, 200);
    },
  );
}

function possibilityOf(
  act: DevicePossibleAct,
  {
    device,
    access,
    caller,
    hasOwner,
  }: { device: Device; access: RequestAccess; caller: Caller; hasOwner: boolean },
): DevicePossibility {
  const action = isStateAct(act) ? ACTION_OF[act] : ACTIONS[act];
  const verdict = access.verdict({ kind: 'device', device }, action);
  const obstacle =
    verdict === 'forbidden'
      ? `${permitterOf(caller)} does not permit ${action} here.`
      : obstacleOf(act, device, hasOwner);
  const needs = verdict === 'step-up' || verdict === 'second-person' ? verdict : 'nothing';
  const isPossible = obstacle === undefined;
  return { act, isPossible, needs, ...(obstacle !== undefined && { why: obstacle }) };
}

/** What the device itself is in the way of. */
function obstacleOf(
  act: DevicePossibleAct,
  { state }: Device,
  hasOwner: boolean,
): string | undefined {
  if (isStateAct(act)) return LIFE_CYCLE[act].from.includes(state) ? undefined : whyNot(state, act);
  if (act === 'claim' && MAY_NOT_ENROLL.has(state)) return `It is ${state} and gets no claim.`;
  if (act === 'pair-code' && hasOwner) return 'It has an owner, who has to give it away first.';
  return undefined;
}

function isStateAct(act: DevicePossibleAct): act is DeviceAct {
  return DEVICE_ACTS.some((each) => each === act);
}
