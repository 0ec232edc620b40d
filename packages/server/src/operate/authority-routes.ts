/** The certificate authority: how it stands, its rotation, and the way of its root offline. @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import {
  AuthorityStatusSchema,
  ExportRootRequestSchema,
  ExportedRootSchema,
  FinishRotationRequestSchema,
  ForgetRootRequestSchema,
  GenerationRequestSchema,
  PrepareGenerationRequestSchema,
} from '@holdfast/protocol/api';
import type { Act } from '../audit/index.ts';
import type { AuthorityChange } from '../enroll/index.ts';
import { Secret } from '../kernel/index.ts';
import { appsInUse, authorityView, certificatesInUse } from './authority-view.ts';
import type { ApiDeps } from './deps.ts';
import { RefusedRequest, accepted } from './errors.ts';
import { recordFirst } from './record-first.ts';
import { type Routes, json, jsonBody } from './routes.ts';

const STATUS = { 200: json(AuthorityStatusSchema, 'The authority as it stands now.') };

export function addAuthorityRoutes(routes: Routes, deps: ApiDeps): void {
  const { registry, owners, recordAct, tenant } = deps;
  const status = () => authorityView(deps);

  routes.add(
    { action: 'ca:read', on: 'server' },
    {
      method: 'get',
      path: '/v1/ca',
      summary: 'Shows the certificate authority.',
      responses: STATUS,
    },
    (c) => c.json(status(), 200),
  );

  routes.add(
    { action: 'ca:rotate', on: 'server' },
    {
      method: 'post',
      path: '/v1/ca/requests',
      summary: 'Makes the keys of the next generation, for an offline root to sign.',
      responses: { 201: json(GenerationRequestSchema, 'What the root is to sign.') },
    },
    async (c) => {
      accepted(deps.authority.whyNotPrepare() ?? true);
      const { principal } = c.get('caller');
      await recordFirst(deps, { action: 'ca.request', principal });
      return c.json({ ...accepted(deps.authority.request()), tenant }, 201);
    },
  );

  routes.add(
    { action: 'ca:rotate', on: 'server' },
    {
      method: 'post',
      path: '/v1/ca/prepare',
      summary: 'Makes the next generation, and publishes it; the present one goes on to issue.',
      request: { body: jsonBody(PrepareGenerationRequestSchema) },
      responses: STATUS,
    },
    async (c) => {
      const change = accepted(deps.authority.prepare(c.req.valid('json').certificates));
      await recordFirst(deps, actOf('ca.prepare', c.get('caller'), change));
      commit(change);
      return c.json(status(), 200);
    },
  );

  routes.add(
    { action: 'ca:rotate', on: 'server' },
    {
      method: 'post',
      path: '/v1/ca/switch',
      summary: 'Lets the next generation issue; the server certificate changes, its key does not.',
      responses: STATUS,
    },
    async (c) => {
      const change = accepted(deps.authority.switch());
      await recordFirst(deps, actOf('ca.switch', c.get('caller'), change));
      commit(change);
      return c.json(status(), 200);
    },
  );

  routes.add(
    { action: 'ca:rotate', on: 'server' },
    {
      method: 'post',
      path: '/v1/ca/finish',
      summary: 'Ends the trust in the generation before.',
      request: { body: jsonBody(FinishRotationRequestSchema) },
      responses: STATUS,
    },
    async (c) => {
      const { force: reason } = c.req.valid('json');
      const change = accepted(deps.authority.finish());
      const inUse = certificatesInUse(change.generation, deps);
      const apps = appsInUse(change.generation, deps);
      const count = inUse.length + apps.length;
      if (reason === undefined && count > 0) throw stillInUse(change, count);
      const facts = { generation: change.generation, ended: count };
      const act: Act = { action: 'ca.finish', principal: c.get('caller').principal, facts };
      try {
        commit(change);
      } finally {
        // The trust may have ended although the token, or the disk, failed to forget the keys.
        if (hasEnded(change, deps)) {
          try {
            // The gate refuses them from now on; this closes what they opened before.
            for (const { id } of owners.apps()) owners.announceEnded(id);
            registry.revokeCertificates(inUse, reason ?? '');
          } finally {
            await recordAct(reason === undefined ? act : { ...act, reason });
          }
        }
      }
      return c.json(status(), 200);
    },
  );

  addRootRoutes(routes, deps);
}

function addRootRoutes(routes: Routes, deps: ApiDeps): void {
  routes.add(
    { action: 'ca:root', on: 'server', secrets: ['passphrase'] },
    {
      method: 'post',
      path: '/v1/ca/root/export',
      summary: 'Gives the key of the root, encrypted with a passphrase.',
      request: { body: jsonBody(ExportRootRequestSchema) },
      responses: { 200: json(ExportedRootSchema, 'The root, and what to prove it with.') },
    },
    async (c) => {
      accepted(deps.authority.whyNoRootKey() ?? true);
      const passphrase = new Secret(c.req.valid('json').passphrase);
      const { principal } = c.get('caller');
      await recordFirst(deps, { action: 'ca.root-export', principal });
      return c.json(accepted(await deps.authority.exportRoot(passphrase)), 200);
    },
  );

  routes.add(
    { action: 'ca:root', on: 'server' },
    {
      method: 'post',
      path: '/v1/ca/root/forget',
      summary: 'Removes the key of the root from the server, once the exported file is proven.',
      request: { body: jsonBody(ForgetRootRequestSchema) },
      responses: STATUS,
    },
    async (c) => {
      const refusal = deps.authority.forgetRoot(c.req.valid('json').proof);
      if (refusal !== undefined) throw new RefusedRequest(refusal);
      const { principal } = c.get('caller');
      await deps.recordAct({ action: 'ca.root-forget', principal });
      return c.json(authorityView(deps), 200);
    },
  );
}

function actOf(
  action: 'ca.prepare' | 'ca.switch',
  { principal }: { readonly principal: string },
  { generation }: AuthorityChange,
): Act {
  return { action, principal, facts: { generation } };
}

function commit(change: AuthorityChange): void {
  const refusal: Refusal | undefined = change.commit();
  if (refusal !== undefined) throw new RefusedRequest(refusal);
}

function hasEnded({ generation }: AuthorityChange, { authority }: ApiDeps): boolean {
  return authority.issuers.some((one) => one.generation === generation && one.state === 'ended');
}

function stillInUse({ generation }: AuthorityChange, count: number): RefusedRequest {
  const what = count === 1 ? 'one certificate' : `${count} certificates`;
  const detail =
    `Generation ${generation} cannot end yet: ${what} of it still count. ` +
    'Wait until the devices and apps have renewed, or end them with --force and a reason.';
  return new RefusedRequest(refuse('E_OPERATE_CONFLICT', detail));
}
