/** `rollout start`. @module */
import type { PauseRules, RolloutRequest } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION, integerOption } from '../command.ts';
import type { Command } from '../command.ts';
import { usageFailure } from '../failure.ts';
import { jsonLine } from '../printable.ts';
import {
  DEFAULT_STAGES,
  pauseOption,
  spanOption,
  stageOption,
  windowOption,
} from '../rollout/plan-options.ts';
import { forecastText, rolloutText } from '../rollout/rollout-text.ts';
import { withStepUp } from '../step-up.ts';
import { followRollout } from './rollout.ts';

const PATH = 'rollout start';
const DEVICES_MAX = 10_000_000;

const PLAN_OPTIONS = {
  stage: { type: 'string', multiple: true, value: 'STAGE', help: 'who gets it next: 1%,soak=1h' },
  group: { type: 'string', multiple: true, value: 'GROUP', help: 'only devices of this group' },
  window: {
    type: 'string',
    multiple: true,
    value: 'WHEN',
    help: 'offer it then only: "mon-fri 01:00-05:00 Europe/Berlin"',
  },
  'pause-on': {
    type: 'string',
    multiple: true,
    value: 'RULES',
    help: 'failures=2%,unconfirmed=2h,silent=15m,findings=high',
  },
  'in-progress': { type: 'string', value: 'N', help: 'devices at work at a time' },
  'per-minute': { type: 'string', value: 'N', help: 'devices that begin in a minute' },
  'needs-consent': { type: 'boolean', help: 'owners are asked first' },
  'consent-within': { type: 'string', value: 'SPAN', help: 'owners can put it off so long (14d)' },
  notice: { type: 'string', value: 'TEXT', help: 'what owners are told of it' },
  supersede: { type: 'boolean', help: 'take over devices that wait in another rollout' },
} as const;

/** Rolls a release out. */
export const rolloutStart: Command = defineCommand(
  {
    path: PATH,
    summary: 'bring a release to devices, in stages that stop by themselves',
    details:
      'Each stage says who gets it: a share of the devices (10%), so many (50), a group\n' +
      '(group=lab) or named ones (device=a,device=b); then success=90% of them have to be\n' +
      'confirmed, and soak=1h has to pass, before the next one opens. Without --stage it\n' +
      `is ${DEFAULT_STAGES.join(', then ')}.\n` +
      'It pauses by itself when more than 5 % of a stage fail, go back or hang for a day:\n' +
      'say otherwise with --pause-on. Try it first with --dry-run: nothing is done then.\n' +
      'A draft that waited for a second person is started by its id.',
    arguments: ['line@version'],
    options: {
      ...PLAN_OPTIONS,
      'dry-run': { type: 'boolean', help: 'show who would get it, and who would not' },
      follow: { type: 'boolean', help: 'show how it goes on' },
      reason: { type: 'string', value: 'TEXT', help: 'why, for the audit log' },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: [
      `${PATH} thermostat@2.1.0 --dry-run`,
      `${PATH} thermostat@2.1.0 --stage 1% --stage 10%,soak=1h --stage 100%`,
      `${PATH} thermostat@2.1.0 --window "mon-fri 01:00-05:00 Europe/Berlin" --needs-consent`,
      `${PATH} 5be1c0de`,
    ],
  },
  async (world, { values, positionals: [what = ''] }) => {
    const { data, json, 'dry-run': isDryRun, follow } = values;
    const reason = values.reason ?? 'started on the command line';
    if (!what.includes('@')) {
      const given = Object.keys(PLAN_OPTIONS).find((name) => Object.hasOwn(values, name));
      if (given !== undefined) {
        throw usageFailure(`--${given} is fixed in a draft.`, 'Start another: line@version.');
      }
    }
    const request = what.includes('@') ? requestOf(what, values, world.timeZone) : undefined;
    if (isDryRun === true && request !== undefined) {
      const forecast = await withClient(world, data, (client) => client.planRollout(request));
      return world.stdout.write(json === true ? jsonLine(forecast) : forecastText(forecast));
    }
    const id =
      request === undefined
        ? what
        : (await withClient(world, data, (client) => client.draftRollout(request))).id;
    const started = await withStepUp(world, data, (client) =>
      client.startRollout(id, reason),
    ).catch((error: unknown) => {
      // What it was to do is not lost: the draft is there.
      if (request !== undefined) world.stderr.write(`It is a draft: holdfast ${PATH} ${id}\n`);
      throw error;
    });
    if (follow === true) return followRollout(world, { id, data });
    world.stdout.write(json === true ? jsonLine(started) : rolloutText(started, world));
  },
);

interface PlanValues {
  readonly stage?: readonly string[] | undefined;
  readonly group?: readonly string[] | undefined;
  readonly window?: readonly string[] | undefined;
  readonly 'pause-on'?: readonly string[] | undefined;
  readonly 'in-progress'?: string | undefined;
  readonly 'per-minute'?: string | undefined;
  readonly 'needs-consent'?: boolean | undefined;
  readonly 'consent-within'?: string | undefined;
  readonly notice?: string | undefined;
  readonly supersede?: boolean | undefined;
}

function requestOf(release: string, values: PlanValues, timeZone: string): RolloutRequest {
  const { stage = DEFAULT_STAGES, group, window = [], notice, supersede = false } = values;
  const rules: Partial<PauseRules> = Object.assign(
    {},
    ...(values['pause-on'] ?? []).map((text) => pauseOption(text)),
  );
  const inProgressMax = countOption(values['in-progress'], 'in-progress');
  const perMinuteMax = countOption(values['per-minute'], 'per-minute');
  const within = values['consent-within'];
  const consentBoundMs = within === undefined ? undefined : spanOption(within, 'consent-within');
  return {
    release,
    plan: {
      stages: stage.map((text) => stageOption(text)),
      ...(group !== undefined && { groups: [...group] }),
      windows: window.map((text) => windowOption(text, timeZone)),
      pauseOn: rules,
      ...(inProgressMax !== undefined && { inProgressMax }),
      ...(perMinuteMax !== undefined && { perMinuteMax }),
      needsConsent: values['needs-consent'] ?? false,
      ...(consentBoundMs !== undefined && { consentBoundMs }),
      ...(notice !== undefined && { notice }),
      supersedes: supersede,
    },
  };
}

function countOption(text: string | undefined, name: string): number | undefined {
  return text === undefined ? undefined : integerOption(text, { name, min: 1, max: DEVICES_MAX });
}
