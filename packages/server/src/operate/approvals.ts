/** Requests that wait for a second person: in memory, for an hour. @module */
import { createHash } from 'node:crypto';
import { type Refusal, refuse } from '@holdfast/protocol';
import type { Clock, RandomBytes } from '../kernel/index.ts';
import type { ApiAction, Resource } from '../policy/index.ts';
import { APPROVALS_MAX, APPROVAL_LIFE_MS } from './limits.ts';

/** What somebody wants to do, and needs another person for. */
export interface ApprovalWish {
  /** Who asks. */
  readonly principal: string;
  readonly action: ApiAction;
  readonly resource: Resource;
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

/** A request that waits, or that was approved and not made again yet. */
export interface Approval {
  /** 16 hexadecimal digits. */
  readonly id: string;
  readonly principal: string;
  readonly action: ApiAction;
  readonly resource: Resource;
  readonly method: string;
  readonly path: string;
  /** What is to be sent, so that whoever approves sees it. */
  readonly body: string;
  readonly askedAtMs: number;
  readonly expiresAtMs: number;
  /** Who approved; undefined while it waits. */
  readonly approvedBy: string | undefined;
}

const ID_BYTES = 8;

/**
 * The approvals of one server. An approved request is made again by whoever asked, word for word,
 * and once: so nothing is done in the name of somebody who may have lost the right to it.
 */
export class Approvals {
  readonly #clock: Clock;
  readonly #random: RandomBytes;
  /** By what the request is, oldest first. */
  readonly #approvals = new Map<string, Approval>();

  constructor({ clock, random }: { clock: Clock; random: RandomBytes }) {
    this.#clock = clock;
    this.#random = random;
  }

  /** The approval of a request, waiting or approved. */
  of(wish: ApprovalWish): Approval | undefined {
    this.#forgetExpired();
    return this.#approvals.get(digestOf(wish));
  }

  /** Whether a request is approved. */
  isApproved(wish: ApprovalWish): boolean {
    return this.of(wish)?.approvedBy !== undefined;
  }

  /** Asks for a second person. Refuses `E_OPERATE_RATE` when too many wait. */
  ask(wish: ApprovalWish): Approval | Refusal {
    this.#forgetExpired();
    if (this.#approvals.size >= APPROVALS_MAX) {
      return refuse('E_OPERATE_RATE', `${APPROVALS_MAX} requests wait for a second person`);
    }
    const nowMs = this.#clock.nowMs();
    const approval = {
      ...wish,
      id: Buffer.from(this.#random(ID_BYTES)).toString('hex'),
      askedAtMs: nowMs,
      expiresAtMs: nowMs + APPROVAL_LIFE_MS,
      approvedBy: undefined,
    };
    this.#approvals.set(digestOf(wish), approval);
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
    const waiting = this.of(approval);
    if (waiting?.id !== approval.id || waiting.approvedBy !== undefined) {
      return refuse('E_OPERATE_CONFLICT', `The approval ${approval.id} waits no more.`);
    }
    const approved = { ...waiting, approvedBy };
    this.#approvals.set(digestOf(approval), approved);
    return approved;
  }

  /** Ends it: it was refused, or used. */
  end(wish: ApprovalWish): void {
    this.#approvals.delete(digestOf(wish));
  }

  #forgetExpired(): void {
    const nowMs = this.#clock.nowMs();
    for (const [digest, { expiresAtMs }] of this.#approvals) {
      if (nowMs >= expiresAtMs) this.#approvals.delete(digest);
    }
  }
}

function digestOf({ principal, method, path, body }: ApprovalWish): string {
  return createHash('sha256')
    .update(JSON.stringify([principal, method, path, body]))
    .digest('hex');
}
