/** The reference page of the HTTP API, made of its OpenAPI document. @module */
import { z } from 'zod';

const OperationSchema = z.object({
  summary: z.string().optional(),
  'x-holdfast-needs': z.string(),
  responses: z.record(z.string(), z.object({ description: z.string().optional() })),
});
const DocumentSchema = z.object({
  paths: z.record(z.string(), z.record(z.string(), OperationSchema)),
});

/** Where a path belongs: the first entry whose pattern matches. */
const SECTIONS: readonly (readonly [title: string, pattern: RegExp])[] = [
  ["Owners' apps", /^\/v1\/(?:app(?:\/|$)|pair$|anchor$)/u],
  ['Signing in', /^\/v1\/(?:sign-in|sign-out|step-up)/u],
  ["One's own account", /^\/v1\/me(?:\/|$)/u],
  [
    'People, sessions and tokens',
    /^\/v1\/(?:people|sessions|tokens|oidc|approvals|approval)(?:\/|$)/u,
  ],
  ['Policy', /^\/v1\/(?:policy|policies)/u],
  [
    'Readings and series',
    /^\/v1\/(?:devices\/\{id\}\/(?:readings|series|evidence|proof)|readings|series)/u,
  ],
  ['Devices', /^\/v1\/(?:devices|device-|classes|manufacturers|groups)/u],
  ['Refusals, acts and the log', /^\/v1\/(?:refusals|audit|log|witnesses|evidence)/u],
  ['Firmware and rollouts', /^\/v1\/(?:firmware|rollouts)/u],
  ['Backups, keys and buckets', /^\/v1\/(?:backups|keys|buckets|export)/u],
  ['The certificate authority', /^\/v1\/(?:ca|authority|crl)/u],
];
const OTHERS = 'The server';

const INTRODUCTION = `# HTTP API

Made of \`packages/server/openapi.json\`, which a running server gives at \`/openapi.json\`: there
are the shapes of requests and answers. Everything is JSON over TLS 1.3 at \`https://<host>:8443\`.

- **Who asks:** \`Authorization: Bearer <API token>\`, or the session cookie of a browser. Where
  "needs" says *by app*, the certificate of an owner's app, or the cookie of [its page](../guides/owner-app.md#the-page). Devices have paths of their own:
  [readings over HTTPS](../guides/https-ingest.md), [enrollment](../guides/enrollment.md), [updates](../guides/firmware.md#deliver).
- **What it needs:** an action of the [policy](../guides/roles-and-policy.md), decided for the device
  that the path names, for the server, or for the caller. Lists hold what the caller may see.
- **A refusal** is \`{"error": {"code", "message", "fix"}}\`: [all codes](refusals.md). What the caller may not
  see answers as if it did not exist.
- **A list with \`next\`** goes on with \`?after=<next>\`.
- **Streams** (\`…/stream\`, and \`/v1/live\`) are server-sent events.
`;

/** Makes the page. @param openapi - The OpenAPI document. */
export function apiPage(openapi: unknown): string {
  const { paths } = DocumentSchema.parse(openapi);
  const rows = new Map<string, string[]>();
  for (const [path, operations] of Object.entries(paths)) {
    // Pages and files of the console are no part of the API.
    if (!path.startsWith('/v1/') && !SERVER_PATHS.has(path)) continue;
    const title = SECTIONS.find(([, pattern]) => pattern.test(path))?.[0] ?? OTHERS;
    const section = rows.get(title) ?? [];
    for (const [method, operation] of Object.entries(operations)) {
      section.push(rowOf(`${method.toUpperCase()} ${path}`, operation));
    }
    rows.set(title, section);
  }
  const titles = [...SECTIONS.map(([title]) => title), OTHERS].filter((title) => rows.has(title));
  const sections = titles.map((title) =>
    [
      `\n## ${title}\n`,
      '| call | needs | what it does |',
      '|---|---|---|',
      ...(rows.get(title) ?? []),
    ].join('\n'),
  );
  return `${INTRODUCTION}${sections.join('\n')}\n`;
}

const SERVER_PATHS = new Set(['/healthz', '/readyz', '/metrics', '/openapi.json']);

function rowOf(call: string, operation: z.infer<typeof OperationSchema>): string {
  const { summary, responses, 'x-holdfast-needs': needs } = operation;
  const what = summary ?? responses['200']?.description ?? '';
  return `| \`${call}\` | ${needs === 'public' ? '–' : needs} | ${cell(what)} |`;
}

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`);
}
