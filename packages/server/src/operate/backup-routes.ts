import { refuse } from '@holdfast/protocol';
/** Backups: made, listed, pruned, scheduled; what a trial of a restore has found. @module */
import {
  BackupArtifactsRequestSchema,
  BackupDrillRequestSchema,
  BackupListQuerySchema,
  BackupListSchema,
  BackupRunSchema,
  BackupScheduleSchema,
  BackupStatusSchema,
  ForgetDestinationRequestSchema,
  MakeBackupRequestSchema,
  PruneBackupsRequestSchema,
  PrunedBackupsSchema,
} from '@holdfast/protocol/api';
import type { Act } from '../audit/index.ts';
import { Fault } from '../kernel/index.ts';
import { backupStatusView, backupView, runView } from './backup-views.ts';
import type { ApiDeps } from './deps.ts';
import { RefusedRequest, accepted } from './errors.ts';
import { recordFirst } from './record-first.ts';
import { type Routes, json, jsonBody } from './routes.ts';

const HOUR_MS = 3_600_000;
const reads = { action: 'backup:read', on: 'server' } as const;
const manages = { action: 'backup:manage', on: 'server' } as const;
const STATUS = { 200: json(BackupStatusSchema, 'How the backups are now.') };

export function addBackupRoutes(routes: Routes, deps: ApiDeps): void {
  const { backups } = deps;
  routes.add(
    { action: 'backup:make', on: 'server' },
    {
      method: 'post',
      path: '/v1/backups',
      summary: 'Begins a backup. It goes on by itself; the status tells how far it is.',
      request: { body: jsonBody(MakeBackupRequestSchema) },
      responses: { 202: json(BackupRunSchema, 'The backup under way.') },
    },
    async (c) => {
      const { to } = c.req.valid('json');
      const { principal } = c.get('caller');
      accepted((await backups.refusalOf(to)) ?? true);
      await recordFirst(deps, { action: 'backup.begin', principal, target: to });
      accepted(await backups.make(to, principal));
      const { run } = backups;
      if (run === undefined) throw new Error('a backup that was begun is not there');
      return c.json(runView(run), 202);
    },
  );

  routes.add(
    reads,
    {
      method: 'get',
      path: '/v1/backups/status',
      summary: 'Tells of the backup under way, the destinations, the schedule and the last drill.',
      responses: STATUS,
    },
    (c) => c.json(backupStatusView(backups), 200),
  );

  routes.add(
    reads,
    {
      method: 'get',
      path: '/v1/backups',
      summary: 'Lists the backups of a destination that this server has used.',
      request: { query: BackupListQuerySchema },
      responses: { 200: json(BackupListSchema, 'Oldest first.') },
    },
    async (c) => {
      const { from } = c.req.valid('query');
      requireKnown(from, deps);
      const { heads, damaged } = await reached(backups.list(from));
      return c.json({ backups: heads.map(backupView), damaged: [...damaged] }, 200);
    },
  );
  addManaging(routes, deps);
}

function addManaging(routes: Routes, deps: ApiDeps): void {
  const { backups, clock, recordAct } = deps;
  routes.add(
    manages,
    {
      method: 'post',
      path: '/v1/backups/prune',
      summary: 'Removes all backups of a destination but the newest, with what only they need.',
      request: { body: jsonBody(PruneBackupsRequestSchema) },
      responses: { 200: json(PrunedBackupsSchema, 'What was removed.') },
    },
    async (c) => {
      const { from, keep } = c.req.valid('json');
      requireKnown(from, deps);
      if (backups.isRunning) {
        throw new RefusedRequest(refuse('E_OPERATE_CONFLICT', 'A backup is being made.'));
      }
      const { principal } = c.get('caller');
      const act: Act = { action: 'backup.prune', principal, target: from };
      await recordFirst(deps, { ...act, facts: { keep } });
      return c.json(await reached(backups.prune(from, keep)), 200);
    },
  );

  routes.add(
    manages,
    {
      method: 'put',
      path: '/v1/backups/schedule',
      summary: 'Lets backups be made by themselves.',
      request: { body: jsonBody(BackupScheduleSchema) },
      responses: STATUS,
    },
    async (c) => {
      const { to, everyHours } = c.req.valid('json');
      accepted((await backups.refusalOf(to)) ?? true);
      const { principal } = c.get('caller');
      const facts = { everyHours };
      await recordFirst(deps, { action: 'backup.schedule', principal, target: to, facts });
      backups.setSchedule({ to, everyMs: everyHours * HOUR_MS });
      return c.json(backupStatusView(backups), 200);
    },
  );

  routes.add(
    manages,
    {
      method: 'delete',
      path: '/v1/backups/schedule',
      summary: 'Ends the backups by schedule.',
      responses: STATUS,
    },
    async (c) => {
      backups.setSchedule(undefined);
      await recordAct({ action: 'backup.unschedule', principal: c.get('caller').principal });
      return c.json(backupStatusView(backups), 200);
    },
  );

  routes.add(
    manages,
    {
      method: 'put',
      path: '/v1/backups/artifacts',
      summary: 'Decides whether backups leave out the artifacts of updates that are in a bucket.',
      request: { body: jsonBody(BackupArtifactsRequestSchema) },
      responses: STATUS,
    },
    async (c) => {
      const { isLeftOut, reason } = c.req.valid('json');
      accepted((isLeftOut ? backups.refusalToLeaveOut() : undefined) ?? true);
      const { principal } = c.get('caller');
      const { place } = backups.artifacts;
      const facts = { isLeftOut, ...(place !== undefined && { place }) };
      await recordFirst(deps, { action: 'backup.artifacts', principal, reason, facts });
      backups.leaveOutArtifacts(isLeftOut);
      return c.json(backupStatusView(backups), 200);
    },
  );

  routes.add(
    manages,
    {
      method: 'post',
      path: '/v1/backups/forget',
      summary: 'Forgets a destination that is gone: no erasure reaches it any more.',
      request: { body: jsonBody(ForgetDestinationRequestSchema) },
      responses: STATUS,
    },
    async (c) => {
      const { name, reason } = c.req.valid('json');
      requireKnown(name, deps);
      const { principal } = c.get('caller');
      await recordFirst(deps, { action: 'backup.forget', principal, target: name, reason });
      backups.forget(name);
      return c.json(backupStatusView(backups), 200);
    },
  );

  routes.add(
    manages,
    {
      method: 'post',
      path: '/v1/backups/drills',
      summary: 'Puts the result of a restore that was tried on the log.',
      request: { body: jsonBody(BackupDrillRequestSchema) },
      responses: STATUS,
    },
    async (c) => {
      const { entries, why, ...drill } = c.req.valid('json');
      const { principal } = c.get('caller');
      const { isGood, findings, backup } = drill;
      const facts = { backup, isGood, findings, entries, ...(why !== undefined && { why }) };
      await recordFirst(deps, { action: 'backup.drill', principal, target: drill.from, facts });
      backups.noteDrill({ ...drill, atMs: clock.nowMs() });
      return c.json(backupStatusView(backups), 200);
    },
  );
}

/** To read any folder by name is nobody's business. */
function requireKnown(name: string, { backups }: Pick<ApiDeps, 'backups'>): void {
  if (backups.records.destinations.read(name) !== undefined) return;
  const detail = `This server has made no backup to ${name}.`;
  throw new RefusedRequest(refuse('E_OPERATE_NOT_FOUND', detail));
}

/** What a destination says, or why it cannot be reached: it is the operator's own. */
async function reached<T>(task: Promise<T>): Promise<T> {
  try {
    return await task;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new RefusedRequest(refuse('E_OPERATE_BACKUP', `${error.code}: ${error.message}`));
  }
}
