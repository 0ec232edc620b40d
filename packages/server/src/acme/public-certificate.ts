/** The certificate of the public name: got, shown, renewed in time. @module */
import { X509Certificate } from 'node:crypto';
import type { Act, RecordAct } from '../audit/index.ts';
import { type Clock, Fault, type Log, type RandomBytes } from '../kernel/index.ts';
import type { Collection, SealedStore } from '../persistence/index.ts';
import type { PublicName, ShownIdentity } from '../wire/index.ts';
import { AcmeAuthority, type ShowChallenge } from './authority.ts';
import {
  ACME_CHECK_MS_MAX,
  ACME_RENEWAL_FRACTION,
  ACME_RETRY_FIRST_MS,
  ACME_RETRY_JITTER,
  ACME_RETRY_MS_MAX,
} from './limits.ts';
import type { AcmeOptions } from './options.ts';
import {
  type AcmeAccount,
  AcmeAccountSchema,
  type AcmeCertificate,
  AcmeCertificateSchema,
  keyPemOf,
} from './records.ts';

/** What it needs. */
export interface PublicCertificateDeps {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly recordAct: RecordAct;
  /** Counts orders. */
  readonly count: (outcome: 'success' | 'failure') => void;
}

interface Kept {
  readonly shown: ShownIdentity;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/**
 * Gets a certificate for the public name from an ACME authority and renews it at two thirds of its
 * life. Whatever fails, the server goes on: with the certificate before until it ends, then with
 * that of our own authority.
 */
export class PublicCertificate implements PublicName {
  readonly name: string;
  readonly #options: AcmeOptions;
  readonly #authority: AcmeAuthority;
  readonly #deps: PublicCertificateDeps;
  readonly #accounts: Collection<AcmeAccount>;
  readonly #certificates: Collection<AcmeCertificate>;
  #kept: Kept | undefined;
  #challenge: ShownIdentity | undefined;
  #failures = 0;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #isStopped = false;
  #cancel: () => void = () => {};

  /**
   * Opens what is kept; asks the authority for nothing but its terms, and for these only before
   * there is an account.
   * @throws Fault `E_ACME_TERMS` when nobody has agreed to them, `E_ACME_DIRECTORY`.
   */
  static async open(
    store: SealedStore,
    options: AcmeOptions,
    deps: PublicCertificateDeps,
  ): Promise<PublicCertificate> {
    const authority = await AcmeAuthority.load(options);
    const opened = new PublicCertificate(store, { options, authority, deps });
    if (options.agreesToTerms || opened.#account() !== undefined) return opened;
    const terms = await authority.termsUrl();
    if (terms !== undefined) throw termsFault(terms);
    return opened;
  }

  private constructor(
    store: SealedStore,
    parts: {
      readonly options: AcmeOptions;
      readonly authority: AcmeAuthority;
      readonly deps: PublicCertificateDeps;
    },
  ) {
    this.#options = parts.options;
    this.#authority = parts.authority;
    this.#deps = parts.deps;
    this.name = parts.options.domain;
    this.#accounts = store.collection('acme-account', AcmeAccountSchema);
    this.#certificates = store.collection('acme-certificate', AcmeCertificateSchema);
    const certificate = this.#certificates.read(ONLY);
    if (certificate?.domain === this.name) this.#kept = keptOf(certificate);
  }

  /** Undefined before there is one, and once it has ended. */
  certificate(): ShownIdentity | undefined {
    const { clock } = this.#deps;
    return clock.nowMs() < this.endsAtMs ? this.#kept?.shown : undefined;
  }

  challenge(): ShownIdentity | undefined {
    return this.#challenge;
  }

  /** When the certificate ends, in milliseconds since 1970; 0 when there is none. */
  get endsAtMs(): number {
    return this.#kept?.notAfterMs ?? 0;
  }

  /** Whether half of the time that there is for a renewal is over. */
  get isRenewalLate(): boolean {
    if (this.#kept === undefined) return true;
    const { notBeforeMs, notAfterMs } = this.#kept;
    const fraction = (1 + ACME_RENEWAL_FRACTION) / 2;
    return this.#deps.clock.nowMs() >= notBeforeMs + (notAfterMs - notBeforeMs) * fraction;
  }

  /** Begins to look after it; the listener has to be open. */
  start(): void {
    this.#wait();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  #wait(): void {
    if (this.#isStopped) return;
    const waitMs = Math.min(ACME_CHECK_MS_MAX, Math.max(0, this.#remainingMs()));
    this.#cancel = this.#deps.clock.after(waitMs, () => {
      if (this.#remainingMs() > 0) this.#wait();
      else void this.#renew().then(() => this.#wait());
    });
  }

  #remainingMs(): number {
    const { clock } = this.#deps;
    const { notBeforeMs, notAfterMs } = this.#kept ?? { notBeforeMs: 0, notAfterMs: 0 };
    const dueMs = notBeforeMs + (notAfterMs - notBeforeMs) * ACME_RENEWAL_FRACTION;
    return Math.max(dueMs - clock.nowMs(), this.#retryAtMs - clock.monotonicMs());
  }

  /** Never rejects: a failure is recorded, and what was shown before is shown on. */
  async #renew(): Promise<void> {
    const { clock, log, count } = this.#deps;
    try {
      const account = this.#account() ?? (await this.#makeAccount());
      const certificate = await this.#authority.order(account, this.#show);
      const kept = keptOf(certificate);
      if (kept.notAfterMs <= clock.nowMs()) throw new Error('the certificate has ended already');
      // Whoever stops the server closes the store.
      if (this.#isStopped) return;
      this.#certificates.write(ONLY, certificate);
      this.#kept = kept;
      this.#failures = 0;
      this.#retryAtMs = Number.NEGATIVE_INFINITY;
      count('success');
      const until = new Date(kept.notAfterMs).toISOString();
      log.info({ ...EVENT, 'event.outcome': 'success', 'url.domain': this.name, until }, 'got');
      await this.#record({ outcome: 'success', until });
    } catch (error) {
      if (!this.#isStopped) await this.#fail(error);
    }
  }

  async #fail(error: unknown): Promise<void> {
    const { clock, log, count } = this.#deps;
    const pauseMs = this.#pauseMs();
    this.#failures += 1;
    this.#retryAtMs = clock.monotonicMs() + pauseMs;
    count('failure');
    const why = error instanceof Error ? error.message.slice(0, WHY_CHARACTERS_MAX) : 'unknown';
    const facts = { 'error.message': why, 'url.domain': this.name, retryInS: pauseMs / 1_000 };
    log.error({ ...EVENT, 'event.outcome': 'failure', ...facts }, FAILED);
    await this.#record({ outcome: 'failure', why });
  }

  async #record(facts: Readonly<Record<string, unknown>>): Promise<void> {
    const { recordAct, log } = this.#deps;
    try {
      const action = EVENT['event.action'];
      await recordAct({ action, principal: 'server', target: this.name, facts });
    } catch (error) {
      log.error({ ...EVENT, 'error.message': String(error) }, 'not recorded');
    }
  }

  #account(): AcmeAccount | undefined {
    const account = this.#accounts.read(ONLY);
    return account?.directoryUrl === this.#options.directoryUrl ? account : undefined;
  }

  async #makeAccount(): Promise<AcmeAccount> {
    const { directoryUrl, agreesToTerms } = this.#options;
    const terms = agreesToTerms ? await this.#authority.termsUrl() : undefined;
    const facts = { directory: directoryUrl, ...(terms !== undefined && { agreedTo: terms }) };
    const act: Act = {
      action: 'server.acme-account',
      principal: 'local',
      target: this.name,
      facts,
    };
    await this.#deps.recordAct(act);
    const account = await this.#authority.createAccount();
    this.#accounts.write(ONLY, account);
    return account;
  }

  #pauseMs(): number {
    const ceilingMs = Math.min(ACME_RETRY_MS_MAX, ACME_RETRY_FIRST_MS * 2 ** this.#failures);
    const chance = (this.#deps.random(1)[0] ?? 0) / 0xff;
    return Math.round(ceilingMs * (1 + ACME_RETRY_JITTER * chance));
  }

  readonly #show: ShowChallenge = (pair) => {
    this.#challenge = pair;
  };
}

function keptOf(certificate: AcmeCertificate): Kept {
  const leaf = new X509Certificate(certificate.chainPem);
  return {
    shown: { certificateChain: certificate.chainPem, privateKey: keyPemOf(certificate) },
    notBeforeMs: leaf.validFromDate.getTime(),
    notAfterMs: leaf.validToDate.getTime(),
  };
}

function termsFault(url: string): Fault {
  return new Fault({
    code: 'E_ACME_TERMS',
    what: `The ACME authority wants you to agree to its terms: ${url}`,
    fix: 'Read them; if you agree, start once with --acme-agree-terms.',
  });
}

/** The one record of each of these collections. */
const ONLY = 'only';
const EVENT = { 'event.action': 'server.public-certificate' } as const;
const FAILED = 'no certificate for the public name; its port 443 must lead from outside to the API';
/** Longest text of a failure on the log, in characters: a part of it is the authority's. */
const WHY_CHARACTERS_MAX = 500;
