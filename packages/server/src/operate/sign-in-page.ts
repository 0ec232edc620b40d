/** The sign-in page: three files without a framework, until the console takes it over. @module */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from 'hono';
import { z } from 'zod';
import type { ApiEnv } from './deps.ts';
import type { Routes } from './routes.ts';

/** Paths of the page; they get {@link PAGE_CONTENT_SECURITY_POLICY} in place of the API's. */
export const PAGE_PATHS: ReadonlySet<string> = new Set([
  '/sign-in',
  '/sign-in/page.css',
  '/sign-in/page.js',
]);

/** The page runs its own script and asks its own server, and that is all. */
export const PAGE_CONTENT_SECURITY_POLICY = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  connectSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  formAction: ["'self'"],
  baseUri: ["'none'"],
  frameAncestors: ["'none'"],
  requireTrustedTypesFor: ["'script'"],
};

const FILES = [
  { path: '/sign-in', file: 'page.html', type: 'text/html', summary: 'The sign-in page.' },
  { path: '/sign-in/page.css', file: 'page.css', type: 'text/css', summary: 'Its style.' },
  { path: '/sign-in/page.js', file: 'page.js', type: 'text/javascript', summary: 'Its script.' },
] as const;

export function addSignInPage(routes: Routes): void {
  for (const { path, file, type, summary } of FILES) {
    let text: string | undefined;
    const content = { [type]: { schema: z.string() } };
    routes.add(
      'public',
      { method: 'get', path, summary, responses: { 200: { description: summary, content } } },
      (c: Context<ApiEnv>) => {
        // Read once, when somebody asks: strangers may do so as often as they like.
        text ??= readFileSync(join(import.meta.dirname, 'page', file), 'utf8');
        return c.body(text, 200, { 'content-type': `${type}; charset=utf-8` });
      },
    );
  }
}
