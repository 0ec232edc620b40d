/** The verification of the log while the server runs, told as it goes on. @module */
import { refuse } from '@holdfast/protocol';
import {
  type VerificationLine,
  type VerifyLogRequest,
  VerifyLogRequestSchema,
} from '@holdfast/protocol/api';
import type { Context } from 'hono';
import type { LogReport, Verification } from '../audit/index.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { RefusedRequest } from './errors.ts';
import { FINDINGS_ON_RECORD_MAX } from './limits.ts';
import { requireReady } from './record-first.ts';
import { type Routes, jsonBody } from './routes.ts';

const HEADERS = { 'Content-Type': 'application/x-ndjson; charset=utf-8' };

export function addVerifyRoute(routes: Routes, deps: ApiDeps): void {
  let isRunning = false;
  routes.add(
    { action: 'audit:read', on: 'server' },
    {
      method: 'post',
      path: '/v1/audit/verifications',
      summary: 'Verifies the whole log; whoever hangs up cancels it.',
      request: { body: jsonBody(VerifyLogRequestSchema) },
      responses: {
        200: { description: 'Lines of JSON (application/x-ndjson): how far it is, and its end.' },
      },
    },
    (c): Response => {
      const wish = c.req.valid('json');
      requireCheckpoint('since', wish.since, deps);
      requireCheckpoint('against', wish.against, deps);
      requireReady(deps);
      if (isRunning) {
        throw new RefusedRequest(refuse('E_OPERATE_CONFLICT', 'A verification is under way.'));
      }
      isRunning = true;
      const onEnd = (): void => {
        isRunning = false;
      };
      return c.body(bodyOf(c, wish, { deps, onEnd }), 200, HEADERS);
    },
  );
}

function requireCheckpoint(
  name: string,
  note: string | undefined,
  { logAudit }: Pick<ApiDeps, 'logAudit'>,
): void {
  const problem = note === undefined ? undefined : logAudit.problemOf(note);
  if (problem === undefined) return;
  throw new RefusedRequest(
    refuse('E_OPERATE_INPUT', `${name}: it is no checkpoint of this log: ${problem}`),
  );
}

function bodyOf(
  c: Context<ApiEnv>,
  wish: VerifyLogRequest,
  { deps, onEnd }: { deps: ApiDeps; onEnd: () => void },
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const { logAudit, clock, people, recordAct, log, watch } = deps;
  const [caller, access] = [c.get('caller'), c.get('access')];
  const cancellation = new AbortController();
  const cancel = (): void => cancellation.abort(new Error('nobody listens any more'));
  const mayStill = (): boolean =>
    people.liveUntilMs(caller) > clock.nowMs() && access.stillPermits({ kind: 'server' });
  const record = (facts: Readonly<Record<string, unknown>>): Promise<void> =>
    recordAct({ action: 'audit.verify', principal: caller.principal, facts });
  // Nobody awaits the end of a run: a rejection of it would end the server.
  const recordFailure = async (why: string): Promise<void> => {
    try {
      await record({ ok: false, why });
    } catch (error) {
      const event = { 'event.action': 'audit.verify', 'event.outcome': 'failure' };
      log.error({ ...event, 'error.message': String(error) }, 'an act cannot be recorded');
    }
  };
  // What was broken off says nothing of the log.
  const note = (outcome: Pick<Verification, 'isGood' | 'findings' | 'size' | 'why'>): void => {
    if (cancellation.signal.aborted) return;
    try {
      watch.lastVerification.note({ atMs: clock.nowMs(), by: caller.principal, ...outcome });
    } catch (error) {
      // The act on the log stands all the same.
      log.error({ 'event.action': 'audit.verify', 'error.message': String(error) }, 'not kept');
    }
  };
  const run = async (send: (line: VerificationLine) => void): Promise<void> => {
    const startMs = clock.monotonicMs();
    try {
      const report = await logAudit.verify(wish, {
        signal: cancellation.signal,
        onProgress: ({ done, size }) => (mayStill() ? send({ done, size }) : cancel()),
      });
      const seconds = (clock.monotonicMs() - startMs) / 1_000;
      await record(factsOf(report, seconds));
      const ok = report.findings.length === 0;
      note({ isGood: ok, findings: report.findings.length, size: report.size });
      send({ report: { ...report, findings: [...report.findings], ok, seconds } });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      await recordFailure(why);
      note({ isGood: false, findings: 0, why });
      log.error({ 'event.action': 'audit.verify', 'error.message': why }, 'not verified');
      send({ failed: why });
    }
  };
  return new ReadableStream({
    start: (controller) => {
      const send = (line: VerificationLine): void => {
        if (!cancellation.signal.aborted) controller.enqueue(encode(line));
      };
      void run(send).finally(() => {
        onEnd();
        if (!cancellation.signal.aborted) controller.close();
      });
    },
    cancel,
  });
}

function factsOf(report: LogReport, seconds: number): Readonly<Record<string, unknown>> {
  const { since, entries, erased, expired, size, root, findings } = report;
  const first = findings.slice(0, FINDINGS_ON_RECORD_MAX);
  const ok = findings.length === 0;
  const found = ok ? {} : { findingCount: findings.length, findings: first };
  return { ok, since, entries, erased, expired, size, root, seconds, ...found };
}

function encode(line: VerificationLine): Uint8Array<ArrayBuffer> {
  return Buffer.from(`${JSON.stringify(line)}\n`, 'utf8');
}
