/** The policy: shown, set, rolled back, tried and explained. @module */
import { refuse } from '@holdfast/protocol';
import {
  ExplainRequestSchema,
  ExplanationSchema,
  PolicyDiffSchema,
  PolicyPageQuerySchema,
  PolicySchema,
  PolicyTestRequestSchema,
  PolicyTestSchema,
  PolicyTextRequestSchema,
  PolicyVersionListSchema,
  PolicyVersionPathSchema,
  RollbackPolicyRequestSchema,
  SetPolicyRequestSchema,
  SetPolicySchema,
} from '@holdfast/protocol/api';
import { type PersonPrincipal, type PolicyVersion, SCHEMA_TEXT } from '../policy/index.ts';
import { type Caller, personPrincipal } from '../registry/index.ts';
import type { ApiDeps } from './deps.ts';
import { accepted } from './errors.ts';
import { explain, requestOf } from './policy-questions.ts';
import { changeView, decisionWord, policyView, versionView } from './policy-views.ts';
import { recordFirst } from './record-first.ts';
import { type Routes, json, jsonBody, text } from './routes.ts';

const readsPolicy = { action: 'policy:read', on: 'server' } as const;
const setsPolicy = { action: 'policy:set', on: 'server' } as const;

export function addPolicyRoutes(routes: Routes, deps: ApiDeps): void {
  addReading(routes, deps);
  addSetting(routes, deps);
  addTrying(routes, deps);
}

function addReading(routes: Routes, { policies }: ApiDeps): void {
  const none = refuse('E_OPERATE_NOT_FOUND', 'There is no such version.');
  routes.add(
    readsPolicy,
    {
      method: 'get',
      path: '/v1/policy',
      summary: 'Shows the policy in force.',
      responses: { 200: json(PolicySchema, 'Its text, and who set it.') },
    },
    (c) => c.json(policyView(accepted(policies.current ?? none)), 200),
  );

  routes.add(
    readsPolicy,
    {
      method: 'get',
      path: '/v1/policy/schema',
      summary: 'Shows what a policy can speak of, as a schema in Cedar.',
      responses: { 200: text('The schema.') },
    },
    (c) => c.text(SCHEMA_TEXT, 200),
  );

  routes.add(
    readsPolicy,
    {
      method: 'get',
      path: '/v1/policy/versions',
      summary: 'Lists the versions of the policy, newest first.',
      request: { query: PolicyPageQuerySchema },
      responses: { 200: json(PolicyVersionListSchema, 'A page of versions.') },
    },
    (c) => c.json({ versions: policies.page(c.req.valid('query')).map(versionView) }, 200),
  );

  routes.add(
    readsPolicy,
    {
      method: 'get',
      path: '/v1/policy/versions/{number}',
      summary: 'Shows one version of the policy.',
      request: { params: PolicyVersionPathSchema },
      responses: { 200: json(PolicySchema, 'The version.') },
    },
    (c) => {
      const { number } = c.req.valid('param');
      return c.json(policyView(accepted(policies.byNumber(number) ?? none)), 200);
    },
  );
}

function addSetting(routes: Routes, deps: ApiDeps): void {
  const { policies } = deps;
  const set = async (caller: Caller, wish: { text: string; reason: string }) => {
    const { principal } = caller;
    // Who holds the data folder cannot be locked out, and helps others who are.
    const held = caller.credential === 'local' ? [] : peopleOf(deps);
    const version = accepted(await policies.propose({ ...wish, author: principal }, held));
    const { number, sha256, reason } = version;
    const facts = { version: number, sha256 };
    await recordFirst(deps, { action: 'policy.set', principal, reason, facts });
    const conflict = policies.keep(version);
    if (conflict !== undefined) accepted(conflict);
    const warnings = await policies.warningsOf(version.text, peopleOf(deps));
    return { ...policyView(version), warnings };
  };

  routes.add(
    setsPolicy,
    {
      method: 'post',
      path: '/v1/policy',
      summary: 'Sets the policy. It holds at once, for live connections too.',
      request: { body: jsonBody(SetPolicyRequestSchema) },
      responses: { 201: json(SetPolicySchema, 'The new version, and what to think about.') },
    },
    async (c) => c.json(await set(c.get('caller'), c.req.valid('json')), 201),
  );

  routes.add(
    setsPolicy,
    {
      method: 'post',
      path: '/v1/policy/rollback',
      summary: 'Sets the text of an earlier version again.',
      request: { body: jsonBody(RollbackPolicyRequestSchema) },
      responses: { 201: json(SetPolicySchema, 'The new version, and what to think about.') },
    },
    async (c) => {
      const { number, reason } = c.req.valid('json');
      const none = refuse('E_OPERATE_NOT_FOUND', 'There is no such version.');
      const earlier: PolicyVersion = accepted(policies.byNumber(number) ?? none);
      return c.json(await set(c.get('caller'), { text: earlier.text, reason }), 201);
    },
  );
}

function addTrying(routes: Routes, deps: ApiDeps): void {
  const { policies } = deps;
  routes.add(
    readsPolicy,
    {
      method: 'post',
      path: '/v1/policy/diff',
      summary: 'Tells which of the last decisions another policy would make otherwise.',
      request: { body: jsonBody(PolicyTextRequestSchema) },
      responses: { 200: json(PolicyDiffSchema, 'The decisions that would change.') },
    },
    async (c) => {
      const { text: proposed } = c.req.valid('json');
      const changes = accepted(await policies.changesBy(proposed));
      const tried = policies.authorizer.recent().length;
      const warnings = await policies.warningsOf(proposed, peopleOf(deps));
      return c.json({ tried, changes: changes.map(changeView), warnings }, 200);
    },
  );

  routes.add(
    readsPolicy,
    {
      method: 'post',
      path: '/v1/policy/test',
      summary: 'Compares expected decisions with those of a policy.',
      request: { body: jsonBody(PolicyTestRequestSchema) },
      responses: { 200: json(PolicyTestSchema, 'What is decided, in the order asked.') },
    },
    async (c) => {
      const { text: tried, expectations } = c.req.valid('json');
      const requests = expectations.map(({ steppedUp, secondPerson, ...terms }) => ({
        ...accepted(requestOf(terms, deps)),
        context: { steppedUp, secondPerson },
      }));
      const decisions = accepted(await policies.decide(requests, tried));
      const outcomes = decisions.map((decision, at) => ({
        decision: decisionWord(decision),
        isExpected: decisionWord(decision) === expectations[at]?.decision,
        rules: [...decision.rules],
      }));
      return c.json({ outcomes }, 200);
    },
  );

  routes.add(
    readsPolicy,
    {
      method: 'post',
      path: '/v1/policy/explain',
      summary: 'Tells what the policy in force decides, and by which rules.',
      request: { body: jsonBody(ExplainRequestSchema) },
      responses: { 200: json(ExplanationSchema, 'The decision and its rules.') },
    },
    (c) => c.json(accepted(explain(c.req.valid('json'), deps)), 200),
  );
}

/** Everybody who can sign in. */
function peopleOf({ people }: ApiDeps): PersonPrincipal[] {
  return people
    .all()
    .filter(({ isDisabled }) => !isDisabled)
    .map(({ name, role }) => ({ kind: 'person', id: personPrincipal(name), role }));
}
