/** The routes of Enrollment over Secure Transport. @see RFC 7030 @module */
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { certsOnly, csrAttributes } from '../pki/index.ts';
import { base64Answer, certificatesAnswer, limitBody } from './est-answers.ts';
import { type SimpleEnrollDeps, simpleEnroll } from './simple-enroll.ts';
import { type SimpleReenrollDeps, simpleReenroll } from './simple-reenroll.ts';
import { WrongClaims } from './wrong-claims.ts';

/** What the EST routes need. */
export type EstDeps = Omit<SimpleEnrollDeps, 'wrongClaims'> & SimpleReenrollDeps;

/** `cacerts`, `csrattrs`, `simpleenroll` and `simplereenroll`. */
export function estRoutes(deps: EstDeps): Hono<{ Bindings: HttpBindings }> {
  const { authority } = deps;
  const wrongClaims = new WrongClaims(deps);
  const app = new Hono<{ Bindings: HttpBindings }>().basePath('/.well-known/est');
  // RFC 7030 §4.1
  app.get('/cacerts', (c) =>
    certificatesAnswer(c, certsOnly(authority.caCertificates.map(({ raw }) => raw))),
  );
  // RFC 7030 §4.5
  app.get('/csrattrs', (c) => base64Answer(c, csrAttributes(), 'application/csrattrs'));
  const limit = limitBody(deps.report);
  app.post('/simpleenroll', limit, (c) => simpleEnroll(c, { ...deps, wrongClaims }));
  app.post('/simplereenroll', limit, simpleReenroll(deps));
  for (const path of ['/cacerts', '/csrattrs']) {
    app.all(path, (c) => c.text('Use GET.\n', 405, { allow: 'GET, HEAD' }));
  }
  for (const path of ['/simpleenroll', '/simplereenroll']) {
    app.all(path, (c) => c.text('Use POST.\n', 405, { allow: 'POST' }));
  }
  return app;
}
