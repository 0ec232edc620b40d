/** Options of commands on a device whose keys may be in a PKCS#11 token. @module */
import type { Token } from '@holdfast/device';
import type { OptionSet } from './command.ts';
import { PIN_OPTIONS, pinSource } from './commands/token-options.ts';
import { usageFailure } from './failure.ts';
import type { World } from './world.ts';

/** Which token, and how its PIN is given. Without these the keys are in files. */
export const DEVICE_TOKEN_OPTIONS = {
  'pkcs11-module': {
    type: 'string',
    value: 'PATH',
    help: 'keys in a token: the shared library that speaks to it',
  },
  'pkcs11-token': { type: 'string', value: 'LABEL', help: 'label of the token' },
  ...PIN_OPTIONS,
} as const satisfies OptionSet;

type TokenValues = { readonly [Name in keyof typeof DEVICE_TOKEN_OPTIONS]?: string | undefined };

/**
 * Calls `act` with the token that was named, open, or with none; closes it then.
 * @throws Failure `E_CLI_USAGE` when a part is missing; DeviceError `E_DEVICE_TOKEN`.
 */
export async function withDeviceToken<T>(
  world: World,
  values: TokenValues,
  act: (token: Token | undefined) => Promise<T>,
): Promise<T> {
  const { 'pkcs11-module': module, 'pkcs11-token': label } = values;
  if (module === undefined && label === undefined) {
    const lonely = Object.keys(DEVICE_TOKEN_OPTIONS).find((name) => name in values);
    if (lonely === undefined) return act(undefined);
    throw usageFailure(`--${lonely} is for a token, and none is named.`, EXAMPLE);
  }
  if (module === undefined || label === undefined) {
    throw usageFailure('A token needs its module and its label.', EXAMPLE);
  }
  const { openToken } = await world.device();
  const askPin = pinSource(world, values);
  const token = await openToken({ module, label, pin: () => askPin(label) });
  try {
    return await act(token);
  } finally {
    token.close();
  }
}

const EXAMPLE =
  'For example: --pkcs11-module /usr/lib/softhsm/libsofthsm2.so --pkcs11-token thermostat-1';
