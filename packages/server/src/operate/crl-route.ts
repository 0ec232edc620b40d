/** The revocation list for those who publish it elsewhere. @module */
import { refuse } from '@holdfast/protocol';
import { CrlQuerySchema, CrlViewSchema } from '@holdfast/protocol/api';
import type { ApiDeps } from './deps.ts';
import { accepted } from './errors.ts';
import { type Routes, json } from './routes.ts';
import { isoTime } from './views.ts';

export function addCrlRoute(routes: Routes, { crl }: ApiDeps): void {
  routes.add(
    { action: 'server:read', on: 'server' },
    {
      method: 'get',
      path: '/v1/ca/crl',
      summary: 'Gives the complete certificate revocation list of the devices authority.',
      request: { query: CrlQuerySchema },
      responses: { 200: json(CrlViewSchema, 'The list, signed.') },
    },
    (c) => {
      const { issuer } = c.req.valid('query');
      const notFound = refuse('E_OPERATE_NOT_FOUND', `There is no issuer ${issuer}.`);
      const list = accepted(crl(issuer) ?? notFound);
      const { number, count, der, thisUpdateMs, nextUpdateMs } = list;
      const times = { thisUpdate: isoTime(thisUpdateMs), nextUpdate: isoTime(nextUpdateMs) };
      const text = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString('base64');
      return c.json({ issuer: list.issuer, number, ...times, count, der: text }, 200);
    },
  );
}
