/** Options of commands that open a data folder whose keys may be in a PKCS#11 token. @module */
import type { StartOptions } from '@holdfast/server';
import type { OptionSet } from '../command.ts';
import { usageFailure } from '../failure.ts';
import { readSecret } from '../secret-source.ts';
import type { World } from '../world.ts';

/** How the PIN of a token is given; without these it is asked for. */
export const PIN_OPTIONS = {
  'pkcs11-pin-fd': {
    type: 'string',
    value: 'N',
    help: 'read the PIN of the token from file descriptor N',
  },
  'pkcs11-pin-file': {
    type: 'string',
    value: 'FILE',
    help: 'read the PIN of the token from a file that only you can read',
  },
} as const satisfies OptionSet;

/** Where the keys of a new data folder are to be; it remembers them. */
export const TOKEN_OPTIONS = {
  custody: {
    type: 'string',
    value: 'KIND',
    help: 'for a new data folder: keys in a file, or in a token by pkcs11 (default file)',
  },
  'pkcs11-module': {
    type: 'string',
    value: 'PATH',
    help: 'the shared library that speaks to the token',
  },
  'pkcs11-token': { type: 'string', value: 'LABEL', help: 'label of the token' },
  ...PIN_OPTIONS,
} as const satisfies OptionSet;

interface TokenValues {
  readonly custody?: string | undefined;
  readonly 'pkcs11-module'?: string | undefined;
  readonly 'pkcs11-token'?: string | undefined;
}

/** The token that was named. @throws Failure `E_CLI_USAGE` when a part is missing or too much. */
export function tokenOf(values: TokenValues): StartOptions['token'] {
  const { custody, 'pkcs11-module': module, 'pkcs11-token': label } = values;
  if (custody === undefined || custody === 'file') {
    if (module === undefined && label === undefined) return undefined;
    throw usageFailure(
      'A token is named, but not what it is for.',
      'Give --custody pkcs11 for a new data folder; an old one remembers its token.',
    );
  }
  if (custody !== 'pkcs11') {
    throw usageFailure(`There is no custody "${custody}".`, 'Give --custody file or pkcs11.');
  }
  if (module !== undefined && label !== undefined) return { module, label };
  throw usageFailure(
    'Custody in a token needs its module and its label.',
    'For example: --pkcs11-module /usr/lib/softhsm/libsofthsm2.so --pkcs11-token holdfast',
  );
}

/** Asks for the PIN in the way that was named, when it is needed. */
export function pinSource(
  world: World,
  values: {
    readonly 'pkcs11-pin-fd'?: string | undefined;
    readonly 'pkcs11-pin-file'?: string | undefined;
  },
): (label: string) => Promise<string> {
  const source = {
    what: 'PIN',
    fd: { option: 'pkcs11-pin-fd', value: values['pkcs11-pin-fd'] },
    file: { option: 'pkcs11-pin-file', value: values['pkcs11-pin-file'] },
  };
  return (label) => readSecret(world, source, `PIN of the token "${label}": `);
}
