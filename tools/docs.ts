/** Writes the reference pages that come from code; with `--check` it only compares. @module */
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REFUSAL_CODES, causeOf } from '@holdfast/protocol';
import { openApiDocument } from '../packages/server/src/operate/index.ts';
import { mqttConformance } from './conformance.ts';
import { apiPage } from './docs-api.ts';
import { cliPage } from './docs-cli.ts';
import { configurationPage } from './docs-configuration.ts';
import { metricsPage } from './docs-metrics.ts';

const root = join(import.meta.dirname, '..');

function refusals(): string {
  const rows = Object.entries(REFUSAL_CODES).map(
    ([code, { what, fix }]) => `| \`${code}\` | ${what} | ${causeOf(code) ?? ''} | ${fix} |`,
  );
  return [
    '# Refusals',
    '',
    'What was refused stands on the audit log: `holdfast refusals --follow`. The peer is told nothing.',
    'The second word of a code is the stage that refused.',
    '',
    '| code | what happened | what it could mean | what to do |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

/** Every exported constant of the `limits.ts` files, with the comment above it. */
function limits(): string {
  const lines = [
    '# Limits',
    '',
    'Every queue, frame, session and time has a bound. These are all of them, with the reason.',
  ];
  for (const path of globSync('packages/*/src/**/limits.ts', { cwd: root }).sort()) {
    const text = readFileSync(join(root, path), 'utf8');
    const pattern = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport const (\w+)(?::[^=]+)? = ([^;{]+);/g;
    const rows = [...text.matchAll(pattern)].map(([, comment = '', name, value = '']) => {
      const reason = comment.replace(/\n\s*\* ?/g, ' ').trim();
      return `| \`${name}\` | ${value.trim()} | ${reason} |`;
    });
    if (rows.length === 0) continue;
    const place = path.replace(/^packages\/(\w+)\/src\//, '$1: ').replace(/\/?limits\.ts$/, '');
    lines.push('', `## ${place}`, '', '| limit | value | why |', '|---|---|---|', ...rows);
  }
  return `${lines.join('\n')}\n`;
}

/** The OpenAPI document; a list that fits on a line stands on one, as the formatter wants it. */
function openApi(): string {
  const text = JSON.stringify(openApiDocument(), null, 2);
  const list = /^(.*)\[\n([^[\]{}]+)\n\s+\](,?)$/gm;
  const short = text.replace(list, (whole: string, start: string, items: string, end: string) => {
    const line = `${start}[${items.trim().replaceAll(/\n\s+/g, ' ')}]${end}`;
    return line.length <= LINE_CHARACTERS_MAX ? line : whole;
  });
  return `${short}\n`;
}

/** A tag that names no statement is a misprint, and would prove nothing. */
function conformance(): string {
  const { page, problems } = mqttConformance();
  if (problems.length > 0) {
    console.error(problems.join('\n'));
    process.exitCode = 1;
  }
  return page;
}

const LINE_CHARACTERS_MAX = 100;

const PAGES: Readonly<Record<string, () => string>> = {
  'docs/reference/refusals.md': refusals,
  'docs/reference/limits.md': limits,
  'docs/reference/mqtt-conformance.md': conformance,
  'docs/reference/api.md': () => apiPage(openApiDocument()),
  'docs/reference/cli.md': cliPage,
  'docs/reference/configuration.md': configurationPage,
  'docs/reference/metrics.md': metricsPage,
  'packages/server/openapi.json': openApi,
};

const isCheck = process.argv.includes('--check');
for (const [path, make] of Object.entries(PAGES)) {
  const file = join(root, path);
  if (!isCheck) writeFileSync(file, make());
  else if (!existsSync(file) || readFileSync(file, 'utf8') !== make()) {
    console.error(`${path} is not what the code says; run: npm run docs`);
    process.exitCode = 1;
  }
}
