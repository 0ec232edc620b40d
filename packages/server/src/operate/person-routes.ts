/** People: inviting them, changing what they are, and letting them go. @module */
import { Refusal, refuse } from '@holdfast/protocol';
import {
  ChangeRoleRequestSchema,
  InvitationSchema,
  InvitePersonRequestSchema,
  PersonListSchema,
  PersonPathSchema,
  PersonViewSchema,
} from '@holdfast/protocol/api';
import type { Act } from '../audit/index.ts';
import { type Person, personPrincipal } from '../registry/index.ts';
import type { ApiDeps } from './deps.ts';
import { RefusedRequest, accepted } from './errors.ts';
import { invitationView, personView } from './person-views.ts';
import { recordFirst } from './record-first.ts';
import { type Routes, json, jsonBody } from './routes.ts';

const params = PersonPathSchema;
const INVITED = { 201: json(InvitationSchema, 'The person, and the code this once.') };
const CHANGED = { 200: json(PersonViewSchema, 'The person.') };

export function addPersonRoutes(routes: Routes, deps: ApiDeps): void {
  addInvitations(routes, deps);
  addPersonChanges(routes, deps);
}

/** The person of a path. */
function personOf({ people }: ApiDeps, name: string): Person {
  return accepted(
    people.byName(name) ?? refuse('E_OPERATE_NOT_FOUND', `There is no person ${name}.`),
  );
}

/** What they asked for or approved counts no more: it might not have been them. */
function withdrawApprovals({ guard }: Routes, { name }: Person): void {
  guard.approvals.withdraw(personPrincipal(name));
}

function addInvitations(routes: Routes, deps: ApiDeps): void {
  const { people, recordAct } = deps;
  /** Names whose invitation is being recorded. */
  const inviting = new Set<string>();

  routes.add(
    { action: 'person:read', on: 'server' },
    {
      method: 'get',
      path: '/v1/people',
      summary: 'Lists the people.',
      responses: { 200: json(PersonListSchema, 'Everybody, in the order of their names.') },
    },
    (c) => c.json({ people: people.all().map((person) => personView(person, deps.clock)) }, 200),
  );

  routes.add(
    { action: 'person:manage', on: 'server' },
    {
      method: 'post',
      path: '/v1/people',
      summary: 'Invites a person: the code is good for a day, and once.',
      request: { body: jsonBody(InvitePersonRequestSchema) },
      responses: INVITED,
    },
    async (c) => {
      const { name, role } = c.req.valid('json');
      const key = name.toLowerCase();
      const conflict = people.conflictOf(name);
      if (conflict !== undefined) throw new RefusedRequest(conflict);
      if (inviting.has(key)) {
        throw new RefusedRequest(refuse('E_OPERATE_CONFLICT', `${name} exists.`));
      }
      inviting.add(key);
      try {
        const { principal } = c.get('caller');
        const facts = { role };
        await recordFirst(deps, { action: 'person.invite', principal, target: name, facts });
        const invited = accepted(people.membership.invite({ name, role }));
        return c.json(invitationView(invited, deps), 201);
      } finally {
        inviting.delete(key);
      }
    },
  );

  routes.add(
    { action: 'person:manage', on: 'server' },
    {
      method: 'post',
      path: '/v1/people/{id}/reset-factors',
      summary: 'Takes away all that a person signs in with, ends their access, and invites again.',
      request: { params },
      responses: INVITED,
    },
    async (c) => {
      const person = personOf(deps, c.req.valid('param').id);
      const { principal } = c.get('caller');
      accepted(people.membership.clearFactors(person));
      people.endAccessOf(person);
      withdrawApprovals(routes, person);
      await recordAct({ action: 'person.reset-factors', principal, target: person.name });
      return c.json(invitationView(accepted(people.membership.inviteAgain(person)), deps), 201);
    },
  );
}

function addPersonChanges(routes: Routes, deps: ApiDeps): void {
  const { people, recordAct, clock } = deps;

  routes.add(
    { action: 'person:manage', on: 'server' },
    {
      method: 'post',
      path: '/v1/people/{id}/role',
      summary: 'Changes the role of a person, at once on everything that is open.',
      request: { params, body: jsonBody(ChangeRoleRequestSchema) },
      responses: CHANGED,
    },
    async (c) => {
      const before = personOf(deps, c.req.valid('param').id);
      const { role } = c.req.valid('json');
      const { principal } = c.get('caller');
      const facts = { role, roleBefore: before.role };
      const act: Act = { action: 'person.role', principal, target: before.name, facts };
      // A role gives some rights and takes others: it counts as a gift.
      await recordFirst(deps, act);
      const person = accepted(people.membership.setRole(before, role));
      withdrawApprovals(routes, person);
      return c.json(personView(person, clock), 200);
    },
  );

  routes.add(
    { action: 'person:manage', on: 'server' },
    {
      method: 'post',
      path: '/v1/people/{id}/disable',
      summary: 'Disables a person: sessions and connections end at once, API tokens rest.',
      request: { params },
      responses: CHANGED,
    },
    async (c) => {
      const person = accepted(people.membership.disable(personOf(deps, c.req.valid('param').id)));
      people.endSessionsOf(person);
      withdrawApprovals(routes, person);
      const { principal } = c.get('caller');
      await recordAct({ action: 'person.disable', principal, target: person.name });
      return c.json(personView(person, clock), 200);
    },
  );

  routes.add(
    { action: 'person:manage', on: 'server' },
    {
      method: 'post',
      path: '/v1/people/{id}/enable',
      summary: 'Lets a disabled person in again.',
      request: { params },
      responses: CHANGED,
    },
    async (c) => {
      const person = personOf(deps, c.req.valid('param').id);
      const { principal } = c.get('caller');
      await recordFirst(deps, { action: 'person.enable', principal, target: person.name });
      return c.json(personView(accepted(people.membership.enable(person)), clock), 200);
    },
  );

  routes.add(
    { action: 'person:manage', on: 'server' },
    {
      method: 'delete',
      path: '/v1/people/{id}',
      summary: 'Removes a person with sessions and API tokens, at once.',
      request: { params },
      responses: { 204: { description: 'Removed.' } },
    },
    async (c) => {
      const removed = people.membership.remove(personOf(deps, c.req.valid('param').id));
      if (removed instanceof Refusal) throw new RefusedRequest(removed);
      people.endAccessOf(removed);
      withdrawApprovals(routes, removed);
      const { principal } = c.get('caller');
      await recordAct({ action: 'person.remove', principal, target: removed.name });
      return c.body(null, 204);
    },
  );
}
