/** How the PIN of a PKCS#11 token is given. @module */
import type { OptionSet } from '../command.ts';
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
