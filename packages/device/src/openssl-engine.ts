/**
 * TLS with a key that is in a token: through the PKCS #11 engine of libp11, the only way by which
 * the OpenSSL inside Node.js uses a key that it cannot read. Debian has it as
 * libengine-pkcs11-openssl. It shares the login of the process with the token, and needs no PIN.
 * @module
 */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { TlsKey } from './device-key.ts';
import { tokenError } from './pkcs11-port.ts';

/**
 * Tells OpenSSL where the engine is, and the engine where the PKCS #11 module is: by environment
 * variables of this process, as there is no other way. Paths are no secrets.
 * @throws DeviceError `E_DEVICE_TOKEN` when the engine is absent
 */
export function announceEngine(module: string, engine: string = ENGINE_DEFAULT): void {
  if (!existsSync(engine)) {
    const fix = 'Install it: apt-get install libengine-pkcs11-openssl; or give its path.';
    throw tokenError(`The OpenSSL engine for PKCS #11 is absent (${engine})`, fix);
  }
  process.env['OPENSSL_ENGINES'] = dirname(engine);
  process.env['PKCS11_MODULE_PATH'] = module;
}

/**
 * What node:tls is given for a key.
 * @throws DeviceError `E_DEVICE_TOKEN` when OpenSSL does not find it
 */
export function engineKey(uri: string): TlsKey {
  const key = { privateKeyEngine: ENGINE_ID, privateKeyIdentifier: uri };
  try {
    // Now, and not at the next connection, perhaps in months.
    createSecureContext(key);
  } catch (cause) {
    const fix =
      'One process uses one PKCS #11 module; log in to the token before its keys are used.';
    throw tokenError('OpenSSL does not find the key in the token', fix, cause);
  }
  return key;
}

const ENGINE_ID = 'pkcs11';
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };
const ENGINE_DEFAULT = `/usr/lib/${ARCHITECTURES[process.arch] ?? process.arch}-linux-gnu/engines-3/pkcs11.so`;
