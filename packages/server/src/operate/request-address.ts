/** Where a request comes from. @module */
import type { Context } from 'hono';
import { peerAddress } from '../wire/index.ts';
import type { ApiEnv } from './deps.ts';

/** IP address of the caller; empty in a test without a socket. */
export function addressOf(c: Context<ApiEnv>): string {
  const socket = (c.env as Partial<ApiEnv['Bindings']> | undefined)?.incoming?.socket;
  return socket === undefined ? '' : peerAddress(socket);
}
