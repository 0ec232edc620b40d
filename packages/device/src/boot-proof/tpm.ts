/** The TPM of a device, by the programs of tpm2-tools. @module */
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DeviceError } from '../device-error.ts';
import { TPM_EVENT_LOG_BYTES_MAX, TPM_TOOL_MS_MAX } from './limits.ts';

/** Where the TPM is, and what of it is used. */
export interface TpmSettings {
  /** How tools reach it (`TPM2TOOLS_TCTI`); absent: as they find it, `/dev/tpmrm0`. */
  readonly tcti?: string | undefined;
  /** PCRs that are quoted. */
  readonly pcrs: readonly number[];
  /** Event log of the firmware. */
  readonly eventLog: string;
}

/** What is used when nothing is said: what firmware and boot loader measure. */
export const TPM_DEFAULTS: TpmSettings = {
  pcrs: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  eventLog: '/sys/kernel/security/tpm0/binary_bios_measurements',
};

/** The public parts of the keys of a TPM. */
export interface TpmKeys {
  /** SPKI of the endorsement key, DER. */
  readonly ek: Buffer;
  /** The certificate of its manufacturer, DER, where it has one. */
  readonly ekCertificate: Buffer | undefined;
  /** `TPM2B_PUBLIC` of the attestation key. */
  readonly ak: Buffer;
}

const runFile = promisify(execFile);

/**
 * A TPM. Its keys are made once, and stay in it under fixed handles; the attestation key is P-256.
 * Every method throws a DeviceError `E_DEVICE_TPM`.
 */
export class Tpm implements Disposable {
  readonly #settings: TpmSettings;
  readonly #folder: string;

  constructor(settings: TpmSettings) {
    this.#settings = settings;
    this.#folder = mkdtempSync(join(tmpdir(), 'holdfast-tpm-'));
    chmodSync(this.#folder, 0o700);
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Whether its keys were made already. */
  async hasKeys(): Promise<boolean> {
    return (await this.#has(EK)) && (await this.#has(AK));
  }

  /** The keys; made when it has none. */
  async keys(): Promise<TpmKeys> {
    if (!(await this.#has(EK))) {
      await this.#run('createek', '-c', EK, '-G', 'rsa');
    }
    if (!(await this.#has(AK))) {
      const kind = ['-G', 'ecc', '-g', 'sha256', '-s', 'ecdsa'];
      await this.#run('createak', '-C', EK, '-c', 'ak', ...kind);
      await this.#run('evictcontrol', '-C', 'o', '-c', 'ak', AK);
    }
    await this.#run('readpublic', '-c', EK, '-f', 'der', '-o', 'ek.der');
    await this.#run('readpublic', '-c', AK, '-f', 'tss', '-o', 'ak.pub');
    const isCertified = await this.#try('nvread', EK_CERTIFICATE, '-o', 'ek.crt');
    const ekCertificate = isCertified ? this.#read('ek.crt') : undefined;
    return { ek: this.#read('ek.der'), ekCertificate, ak: this.#read('ak.pub') };
  }

  /** Opens a credential; only the TPM that holds both of its keys can. */
  async activate(credential: { idObject: Buffer; encryptedSecret: Buffer }): Promise<Buffer> {
    const { idObject, encryptedSecret } = credential;
    const blob = Buffer.concat([TOOLS_HEAD, sized(idObject), sized(encryptedSecret)]);
    writeFileSync(join(this.#folder, 'credential'), blob, { mode: 0o600 });
    await this.#run('startauthsession', '--policy-session', '-S', 'session');
    try {
      await this.#run('policysecret', '-S', 'session', '-c', 'e');
      const keys = ['-c', AK, '-C', EK, '-P', 'session:session'];
      await this.#run('activatecredential', ...keys, '-i', 'credential', '-o', 'secret');
      return this.#read('secret');
    } finally {
      await this.#try('flushcontext', 'session');
    }
  }

  /** Quotes its PCRs over what the server asked for. */
  async quote(nonce: Buffer): Promise<{ quote: Buffer; signature: Buffer; eventLog: Buffer }> {
    const pcrs = `sha256:${this.#settings.pcrs.join(',')}`;
    const out = ['-m', 'quote', '-s', 'signature'];
    await this.#run(
      'quote',
      '-c',
      AK,
      '-l',
      pcrs,
      '-g',
      'sha256',
      '-q',
      nonce.toString('hex'),
      ...out,
    );
    const { eventLog } = this.#settings;
    return {
      quote: this.#read('quote'),
      signature: this.#read('signature'),
      eventLog: readEventLog(eventLog),
    };
  }

  #has(handle: string): Promise<boolean> {
    return this.#try('readpublic', '-c', handle);
  }

  async #try(tool: string, ...args: string[]): Promise<boolean> {
    try {
      await this.#run(tool, ...args);
      return true;
    } catch (error) {
      if (error instanceof DeviceError && isMissing(error.cause)) throw error;
      return false;
    }
  }

  async #run(tool: string, ...args: string[]): Promise<void> {
    const { tcti } = this.#settings;
    const env = { ...process.env, ...(tcti !== undefined && { TPM2TOOLS_TCTI: tcti }) };
    const options = { cwd: this.#folder, env, timeout: TPM_TOOL_MS_MAX } as const;
    try {
      await runFile(`tpm2_${tool}`, args, options);
      // Without a resource manager, what a tool leaves in the TPM is in the way of the next.
      await runFile('tpm2_flushcontext', ['-t'], options);
    } catch (cause) {
      throw new DeviceError('E_DEVICE_TPM', {
        message: isMissing(cause)
          ? `tpm2_${tool} is not installed.`
          : `tpm2_${tool} failed: ${lastLine(cause)}`,
        fix: 'Install tpm2-tools, and see that this user may use the TPM (group tss).',
        cause,
      });
    }
  }

  #read(name: string): Buffer {
    return readFileSync(join(this.#folder, name));
  }
}

function readEventLog(path: string): Buffer {
  try {
    if (statSync(path).size > TPM_EVENT_LOG_BYTES_MAX) throw new RangeError('it is too long');
    const log = readFileSync(path);
    // The kernel does not tell the size of its own file.
    if (log.length > TPM_EVENT_LOG_BYTES_MAX) throw new RangeError('it is too long');
    return log;
  } catch (cause) {
    throw new DeviceError('E_DEVICE_TPM', {
      message: `The event log ${path} cannot be read.`,
      fix: 'See that the firmware measures its boot, and that this user may read the log.',
      cause,
    });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function lastLine(error: unknown): string {
  const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
  return text.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
}

function sized(bytes: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** Handles of the endorsement key (TCG's own) and of our attestation key. */
const EK = '0x81010001';
const AK = '0x8101aaf0';
/** Index of the certificate of an RSA endorsement key. TCG EK Credential Profile §2.2.1.4 */
const EK_CERTIFICATE = '0x01c00002';
/** What tpm2-tools want before a credential. */
const TOOLS_HEAD = Buffer.from('badcc0de00000001', 'hex');
