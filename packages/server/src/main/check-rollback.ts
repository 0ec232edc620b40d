/** At each start: registry and log must be the newest that there were. @module */
import { existsSync, renameSync } from 'node:fs';
import { EMPTY_ROOT } from '@holdfast/protocol/merkle';
import { LogFiles, type RollbackFinding, findRollback } from '../audit/index.ts';
import { Fault } from '../kernel/index.ts';
import { wasWritten } from '../persistence/index.ts';
import type { Context } from './context.ts';
import { type LogFacts, type NewestAct, logFacts } from './log-facts.ts';
import type { Audit, Storage } from './storage.ts';

/** What the last run left on the log, and what is wrong with it but was accepted. */
export interface LastRun {
  /** Its newest act or event; undefined on a new log. */
  readonly newest: NewestAct | undefined;
  readonly isCleanStop: boolean;
  readonly accepted: readonly RollbackFinding[];
  /** Changes of the registry that the log knows of. */
  readonly generation: number;
}

/** The act with which each clean stop ends. */
const STOP_ACTION = 'server.stop';

const NO_LOG: LogFacts = {
  log: { size: 0, rootAt: () => EMPTY_ROOT, generation: undefined },
  newest: undefined,
};

/**
 * Holds registry and log against each other, before the log is opened to write: what else refers
 * to it would fail with less of an explanation.
 * @throws Fault `E_MAIN_ROLLBACK`, unless the start is to accept it.
 */
export function checkRollback(
  { options }: Pick<Context, 'options'>,
  { store, folder }: Pick<Storage, 'store' | 'folder'>,
): LastRun {
  const { findings: accepted, newest, generation } = judge(folder.log, store);
  if (accepted.length > 0 && options.acceptRollback !== true) throw rollbackFault(accepted);
  if (isOfLog(accepted)) {
    // They speak of entries that are not there, or soon are others: devices subscribe again, and
    // series are made of the log again.
    for (const path of [folder.broker, folder.series]) {
      for (const end of ['', '-wal', '-shm']) setAside(`${path}${end}`);
    }
  }
  const isCleanStop = newest?.entry.topic === STOP_ACTION;
  return { newest, isCleanStop, accepted, generation };
}

/** Lets the registry count on from here, and records what was accepted. */
export async function settleRollback(
  { accepted, generation }: LastRun,
  { log }: Pick<Context, 'log'>,
  { store, journal, recordAct }: Pick<Storage, 'store'> & Pick<Audit, 'journal' | 'recordAct'>,
): Promise<void> {
  const { state } = store;
  if (accepted.length > 0) state.accept(generation);
  state.release(() => journal.checkpoint);
  for (const { name, what } of accepted) {
    log.warn({ 'event.action': name, 'event.outcome': 'failure' }, what);
  }
  if (accepted.length > 0) {
    const facts = { findings: accepted.map(({ name }) => name) };
    await recordAct({ action: 'server.accept-rollback', principal: 'local', facts });
  }
  const keyRefs = isOfLog(accepted) ? store.keyring.destroyedRefs() : [];
  if (keyRefs.length > 0) {
    // The acts of these erasures may be among what the log has lost; what they erased stays so.
    await recordAct({ action: 'keys.destroy', principal: 'local', facts: { keyRefs } });
  }
  state.mark();
}

function isOfLog(findings: readonly RollbackFinding[]): boolean {
  return findings.some(({ name }) => name.startsWith('log-'));
}

function judge(
  path: string,
  { keyring, state }: Storage['store'],
): { findings: RollbackFinding[]; newest: NewestAct | undefined; generation: number } {
  const files = wasWritten(path) ? LogFiles.openLive(path) : undefined;
  try {
    const { log, newest } = files === undefined ? NO_LOG : logFacts(files, keyring);
    const findings = findRollback({ registry: state.opened, log });
    return { findings, newest, generation: log.generation ?? 0 };
  } finally {
    files?.close();
  }
}

function setAside(path: string): void {
  if (existsSync(path)) renameSync(path, `${path}.set-aside`);
}

function rollbackFault(findings: readonly RollbackFinding[]): Fault {
  const text = findings.map(({ name, what }) => `${name}: ${what}`).join(' ');
  return new Fault({
    code: 'E_MAIN_ROLLBACK',
    what: `The data folder is not the newest one that there was. ${text}`,
    fix:
      'Find out who put an older copy here, and put the newest one back. If it is all that is left: ' +
      'holdfast up --accept-rollback, which is recorded; then look for what is missing.',
  });
}
