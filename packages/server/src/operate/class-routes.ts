/** Device classes: what an operator has set for them. @module */
import { isDeepStrictEqual } from 'node:util';
import {
  ClassPathSchema,
  type ClassRules as Asked,
  ClassRulesSchema,
  type ClassView,
  ClassViewSchema,
} from '@holdfast/protocol/api';
import type { Act } from '../audit/index.ts';
import type { ClassRules, DeviceClassName } from '../registry/index.ts';
import type { ApiDeps } from './deps.ts';
import { recordFirst } from './record-first.ts';
import { type Routes, json, jsonBody } from './routes.ts';

const path = '/v1/classes/{name}';
const responses = { 200: json(ClassViewSchema, 'The class as it stands now.') };

export function addClassRoutes(routes: Routes, deps: ApiDeps): void {
  const { classSettings, recordAct } = deps;

  routes.add(
    { action: 'class:read', on: 'server' },
    {
      method: 'get',
      path,
      summary: 'Shows what a class asks of its devices.',
      request: { params: ClassPathSchema },
      responses,
    },
    (c) => c.json(classView(c.req.valid('param').name, deps), 200),
  );

  routes.add(
    { action: 'class:set', on: 'server' },
    {
      method: 'put',
      path,
      summary: 'Sets what a class asks of its devices; connections that fall short are closed.',
      request: { params: ClassPathSchema, body: jsonBody(ClassRulesSchema) },
      responses,
    },
    async (c) => {
      const { name } = c.req.valid('param');
      const asked = c.req.valid('json');
      const { principal } = c.get('caller');
      const before = classSettings.of(name);
      const rules = {
        requiresApiKey: asked.requiresApiKey ?? before.requiresApiKey,
        onClone: asked.onClone ?? before.onClone,
        // Named also where there is none: the class settings keep what is not named.
        retention: retentionOf(asked.retention, before.retention),
        lateHours: asked.lateHours ?? before.lateHours,
        renewalGraceMs: asked.renewalGraceMs ?? before.renewalGraceMs,
      };
      const facts = { ...rules, before };
      const act: Act = { action: 'class.set', principal, target: name, facts };
      if (isLooser(rules, before)) {
        await recordFirst(deps, act);
        classSettings.set(name, rules);
      } else {
        classSettings.set(name, rules);
        await recordAct(act);
      }
      return c.json(classView(name, deps), 200);
    },
  );
}

/** Whether a class asks for less than before in anything. */
function isLooser(rules: ClassRules, before: ClassRules): boolean {
  if (before.requiresApiKey && !rules.requiresApiKey) return true;
  // What expires is lost: it is on record before.
  if (!isDeepStrictEqual(rules.retention, before.retention)) return true;
  if (rules.lateHours > before.lateHours) return true;
  if (rules.renewalGraceMs > before.renewalGraceMs) return true;
  return rules.onClone === 'report' && before.onClone !== 'report';
}

/** The bounds that are set, with those that were asked for in place of the former ones. */
function retentionOf(
  asked: Asked['retention'],
  before: ClassRules['retention'],
): ClassRules['retention'] {
  const bounds = Object.entries({ ...before, ...asked }).filter(([, value]) => value !== null);
  return bounds.length === 0 ? undefined : Object.fromEntries(bounds);
}

function classView(
  name: DeviceClassName,
  { classSettings, apiKeys, registry }: ApiDeps,
): ClassView {
  const devices = registry
    .all()
    .filter(({ class: one, state }) => one === name && state !== 'revoked' && state !== 'retired');
  return {
    name,
    ...classSettings.of(name),
    deviceCount: devices.length,
    withoutApiKeyCount: devices.filter(({ id }) => apiKeys.of(id).length === 0).length,
  };
}
