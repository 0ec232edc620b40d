/** What other processes ask of a running agent, by files in its state folder. @module */
import { existsSync, rmSync, watch } from 'node:fs';
import { join } from 'node:path';
import { agentDisk } from './agent-disk.ts';

/** `wake`: ask the server now. `confirm`: a person holds the image on trial for good. */
export type AgentRequest = 'wake' | 'confirm';

/** Asks an agent that runs in another process. */
export function makeRequest(folder: string, request: AgentRequest): void {
  agentDisk.write(join(folder, `${request}.request`), '');
}

/** Takes a request off the folder; false when there is none. */
export function takeRequest(folder: string, request: AgentRequest): boolean {
  const path = join(folder, `${request}.request`);
  if (!existsSync(path)) return false;
  rmSync(path, { force: true });
  return true;
}

/** Calls `wake` for each request to wake, until the returned function is called. */
export function onWakeRequest(folder: string, wake: () => void): () => void {
  const look = (): void => {
    if (takeRequest(folder, 'wake')) wake();
  };
  const watcher = watch(folder, { persistent: false }, look);
  // A folder that goes away takes the requests with it; the agent polls all the same.
  watcher.on('error', () => {});
  return () => watcher.close();
}
