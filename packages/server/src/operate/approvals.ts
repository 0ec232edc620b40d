/** Requests that wait for a second person: in memory, for an hour. @module */
import { createHmac } from 'node:crypto';
import { type Refusal, refuse } from '@holdfast/protocol';
import type { Clock, RandomBytes } from '../kernel/index.ts';
import { type ApiAction, type Resource, resourceText } from '../policy/index.ts';
import {
  APPROVALS_MAX,
  APPROVALS_OF_PERSON_MAX,
  APPROVAL_DEVICES_MAX,
  APPROVAL_LIFE_MS,
} from './limits.ts';

/** What somebody wants to do, and needs another person for. */
export interface ApprovalWish {
  /** Who asks. */
  readonly principal: string;
  readonly action: ApiAction;
  /** All that it is to be done to. */
  readonly resources: readonly Resource[];
  readonly method: string;
  readonly path: string;
  /** As it was sent. */
  readonly body: string;
  /** The fields of the body that nobody else may see. */
  readonly secrets: readonly string[];
}

/** A request that waits, or that was approved and not made again yet. */
export interface Approval extends Omit<ApprovalWish, 'body' | 'secrets'> {
  /** 16 hexadecimal digits. */
  readonly id: string;
  /** What is to be sent, so that whoever approves sees it, without its secrets. */
  readonly shownBody: string;
  readonly askedAtMs: number;
  readonly expiresAtMs: number;
  /** Who approved; undefined while it waits. */
  readonly approvedBy: string | undefined;
}

const ID_BYTES = 8;
const KEY_BYTES = 32;
const SECRET_SHOWN = '(secret)';

/**
 * The approvals of one server. An approved request is made again by whoever asked, word for word,
 * and once: so nothing is done in the name of somebody who may have lost the right to it.
 */
export class Approvals {
  readonly #clock: Clock;
  readonly #random: RandomBytes;
  /** A hash without a key would let whoever reads memory try out the passphrases in requests. */
  #key: Uint8Array | undefined;
  /** By what the request is, oldest first. */
  readonly #approvals = new Map<string, Approval>();

  constructor({ clock, random }: { clock: Clock; random: RandomBytes }) {
    this.#clock = clock;
    this.#random = random;
  }

  /** The approval of a request, waiting or approved. */
  of(wish: ApprovalWish): Approval | undefined {
    this.#forgetExpired();
    return this.#approvals.get(this.#digestOf(wish));
  }

  /** Uses an approval up. @returns who approved; undefined when nobody has. */
  take(wish: ApprovalWish): string | undefined {
    const approval = this.of(wish);
    if (approval?.approvedBy !== undefined) this.end(approval);
    return approval?.approvedBy;
  }

  /**
   * Asks for a second person. Refuses `E_OPERATE_RATE` when too many wait, and
   * `E_OPERATE_SECOND_PERSON` what is done to too many devices.
   */
  ask(wish: ApprovalWish): Approval | Refusal {
    this.#forgetExpired();
    const refusal = this.#refusalOf(wish);
    if (refusal !== undefined) return refusal;
    const { body, secrets, ...rest } = wish;
    const nowMs = this.#clock.nowMs();
    const approval = {
      ...rest,
      shownBody: withoutSecrets(body, secrets),
      id: Buffer.from(this.#random(ID_BYTES)).toString('hex'),
      askedAtMs: nowMs,
      expiresAtMs: nowMs + APPROVAL_LIFE_MS,
      approvedBy: undefined,
    };
    this.#approvals.set(this.#digestOf(wish), approval);
    return approval;
  }

  byId(id: string): Approval | undefined {
    this.#forgetExpired();
    return [...this.#approvals.values()].find((approval) => approval.id === id);
  }

  /** All that wait or were approved, oldest first. */
  all(): Approval[] {
    this.#forgetExpired();
    return [...this.#approvals.values()];
  }

  /** Refuses `E_OPERATE_CONFLICT` one that was decided, used or forgotten in the meantime. */
  approve(approval: Approval, approvedBy: string): Approval | Refusal {
    this.#forgetExpired();
    for (const [digest, waiting] of this.#approvals) {
      if (waiting.id !== approval.id || waiting.approvedBy !== undefined) continue;
      const approved = { ...waiting, approvedBy };
      this.#approvals.set(digest, approved);
      return approved;
    }
    return refuse('E_OPERATE_CONFLICT', `The approval ${approval.id} waits no more.`);
  }

  /** Ends it: it was refused, or used. */
  end({ id }: Approval): void {
    this.#endWhere((approval) => approval.id === id);
  }

  /** Ends what a person has asked for or approved: they are no more who they were. */
  withdraw(principal: string): void {
    this.#endWhere(
      (approval) => approval.principal === principal || approval.approvedBy === principal,
    );
  }

  #refusalOf({ principal, resources }: ApprovalWish): Refusal | undefined {
    const own = this.all().filter((approval) => approval.principal === principal);
    if (own.length >= APPROVALS_OF_PERSON_MAX || this.#approvals.size >= APPROVALS_MAX) {
      return refuse('E_OPERATE_RATE', 'too many requests wait for a second person');
    }
    if (resources.length <= APPROVAL_DEVICES_MAX) return undefined;
    const detail = `At most ${APPROVAL_DEVICES_MAX} devices can wait in one request: select fewer.`;
    return refuse('E_OPERATE_SECOND_PERSON', detail);
  }

  #endWhere(isMeant: (approval: Approval) => boolean): void {
    for (const [digest, approval] of this.#approvals) {
      if (isMeant(approval)) this.#approvals.delete(digest);
    }
  }

  #forgetExpired(): void {
    const nowMs = this.#clock.nowMs();
    for (const [digest, { expiresAtMs }] of this.#approvals) {
      if (nowMs >= expiresAtMs) this.#approvals.delete(digest);
    }
  }

  /** With all that it is done to: a group may have got other devices since somebody approved. */
  #digestOf({ principal, method, path, body, resources }: ApprovalWish): string {
    const things = resources.map(resourceText);
    this.#key ??= this.#random(KEY_BYTES);
    return createHmac('sha256', this.#key)
      .update(JSON.stringify([principal, method, path, body, things]))
      .digest('hex');
  }
}

/** A body as others may see it. One that is no JSON object is shown to nobody. */
function withoutSecrets(body: string, secrets: readonly string[]): string {
  if (secrets.length === 0) return body;
  try {
    const fields: unknown = JSON.parse(body);
    if (typeof fields !== 'object' || fields === null) return SECRET_SHOWN;
    const shown = Object.entries(fields).map(([name, value]: [string, unknown]) =>
      secrets.includes(name) ? [name, SECRET_SHOWN] : [name, value],
    );
    return JSON.stringify(Object.fromEntries(shown));
  } catch {
    return SECRET_SHOWN;
  }
}
