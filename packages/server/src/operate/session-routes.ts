/** Who is signed in: a person's own sessions, and everybody's. @module */
import { SessionListSchema, SessionPathSchema } from '@holdfast/protocol/api';
import type { ApiDeps } from './deps.ts';
import { accepted } from './errors.ts';
import { sessionView } from './person-views.ts';
import { type Routes, json } from './routes.ts';

const LIST = { 200: json(SessionListSchema, 'The sessions, the oldest first.') };
const ENDED = { 204: { description: 'Ended.' } };

export function addSessionRoutes(routes: Routes, deps: ApiDeps): void {
  const { people, recordAct } = deps;
  const end = async (principal: string, name: string, owner?: string): Promise<void> => {
    const session = accepted(people.endSessionNamed(name, owner));
    const facts = { of: session.principal };
    await recordAct({ action: 'session.end', principal, target: name, facts });
  };

  routes.add(
    { action: 'self:read', on: 'self' },
    {
      method: 'get',
      path: '/v1/me/sessions',
      summary: 'Lists the sessions of the caller.',
      responses: LIST,
    },
    (c) => {
      const caller = c.get('caller');
      const sessions = people.sessions(caller.principal);
      return c.json({ sessions: sessions.map((session) => sessionView(session, caller)) }, 200);
    },
  );

  routes.add(
    { action: 'self:secure', on: 'self' },
    {
      method: 'delete',
      path: '/v1/me/sessions/{id}',
      summary: 'Ends a session of the caller at once.',
      request: { params: SessionPathSchema },
      responses: ENDED,
    },
    async (c) => {
      const { principal } = c.get('caller');
      await end(principal, c.req.valid('param').id, principal);
      return c.body(null, 204);
    },
  );

  routes.add(
    { action: 'session:read', on: 'server' },
    {
      method: 'get',
      path: '/v1/sessions',
      summary: 'Lists the sessions of everybody.',
      responses: LIST,
    },
    (c) => {
      const caller = c.get('caller');
      const sessions = people.sessions();
      return c.json({ sessions: sessions.map((session) => sessionView(session, caller)) }, 200);
    },
  );

  routes.add(
    { action: 'session:end', on: 'server' },
    {
      method: 'delete',
      path: '/v1/sessions/{id}',
      summary: 'Ends a session of anybody at once.',
      request: { params: SessionPathSchema },
      responses: ENDED,
    },
    async (c) => {
      await end(c.get('caller').principal, c.req.valid('param').id);
      return c.body(null, 204);
    },
  );
}
