/** API tokens: a person's own, and everybody's for administrators. @module */
import { refuse } from '@holdfast/protocol';
import {
  CreateTokenRequestSchema,
  CreatedTokenSchema,
  TokenListSchema,
  TokenPathSchema,
} from '@holdfast/protocol/api';
import type { Context } from 'hono';
import type { Act } from '../audit/index.ts';
import { type ActionOn, unknownInScope } from '../policy/index.ts';
import type { ApiToken } from '../registry/index.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { RefusedRequest, accepted } from './errors.ts';
import { recordGift } from './record-first.ts';
import { type Routes, json, jsonBody } from './routes.ts';
import { isoTime, scopeView, tokenView } from './views.ts';

export function addTokenRoutes(routes: Routes, deps: ApiDeps): void {
  const { people, recordAct } = deps;

  routes.add(
    { action: 'token:manage', on: 'self' },
    {
      method: 'post',
      path: '/v1/tokens',
      summary: 'Makes an API token, which is shown this once.',
      request: { body: jsonBody(CreateTokenRequestSchema) },
      responses: { 201: json(CreatedTokenSchema, 'The token.') },
    },
    async (c) => {
      const caller = c.get('caller');
      // A stolen token must not outlive itself by making another one.
      if (caller.credential !== 'session') throw forbidden('A token cannot make tokens: sign in.');
      const wish = c.req.valid('json');
      requireKnown(wish.scope?.actions ?? []);
      const record = ({ id, label, principal, expiresAtMs, scope }: ApiToken): Promise<void> => {
        const scoped = scope !== undefined && { scope: scopeView(scope) };
        const facts = { label, expiresAt: isoTime(expiresAtMs), ...scoped };
        const act: Act = { action: 'token.create', principal, target: id, facts };
        return recordGift(deps, act, caller);
      };
      const created = accepted(await people.createToken(caller, wish, record));
      const { id, expiresAtMs } = created.record;
      return c.json({ id, token: created.token.expose(), expiresAt: isoTime(expiresAtMs) }, 201);
    },
  );

  routes.add(
    { action: 'token:manage', on: 'self' },
    {
      method: 'get',
      path: '/v1/tokens',
      summary: 'Lists the API tokens, never their secrets.',
      responses: { 200: json(TokenListSchema, 'The tokens, oldest first.') },
    },
    (c) => {
      const owner = ownerFilter(c, 'token:read');
      const shown = people
        .tokens()
        .filter((token) => token.principal === (owner ?? token.principal));
      return c.json({ tokens: shown.map(tokenView) }, 200);
    },
  );

  routes.add(
    { action: 'token:manage', on: 'self' },
    {
      method: 'delete',
      path: '/v1/tokens/{id}',
      summary: 'Ends an API token at once.',
      request: { params: TokenPathSchema },
      responses: { 204: { description: 'Ended.' } },
    },
    async (c) => {
      const caller = c.get('caller');
      const removed = people.removeToken(c.req.valid('param').id, ownerFilter(c, 'token:end'));
      const { id, label } = accepted(removed);
      const { principal } = caller;
      await recordAct({ action: 'token.remove', principal, target: id, facts: { label } });
      return c.body(null, 204);
    },
  );
}

/** Whose tokens a caller may see or end: their own, or those of everybody where it is permitted. */
function ownerFilter(c: Context<ApiEnv>, action: ActionOn<'server'>): string | undefined {
  const verdict = c.get('access').verdict({ kind: 'server' }, action);
  return verdict === 'permitted' ? undefined : c.get('caller').principal;
}

/** A misspelt action must be told now, not when a program fails for want of it. */
function requireKnown(actions: readonly string[]): void {
  const unknown = unknownInScope(actions);
  if (unknown === undefined) return;
  const detail =
    `scope.actions: ${unknown} is neither an action on the server or a device, nor a group of ` +
    'them; the schema lists them: holdfast policy show --schema';
  throw new RefusedRequest(refuse('E_OPERATE_INPUT', detail));
}

function forbidden(detail: string): RefusedRequest {
  return new RefusedRequest(refuse('E_OPERATE_FORBIDDEN', detail));
}
