/** `approval list`, `approve` and `refuse`: what waits for a second person. @module */
import type { ApprovalView } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { localTime } from '../local-time.ts';
import { paintFor } from '../paint.ts';
import { jsonLine, printable, shorten } from '../printable.ts';
import { withStepUp } from '../step-up.ts';
import { table } from '../table.ts';
import type { World } from '../world.ts';

/** Lists what waits. */
export const approvalList: Command = defineCommand(
  {
    path: 'approval list',
    summary: 'list what waits for a second person',
    details: 'Your own requests, and those of others that you may decide. They wait an hour.',
    options: { json: JSON_OPTION, data: DATA_OPTION },
    examples: ['approval list'],
  },
  async (world, { values: { json, data } }) => {
    const approvals = await withClient(world, data, (client) => client.approvals());
    const { stdout, stderr } = world;
    if (json === true) return approvals.forEach((approval) => stdout.write(jsonLine(approval)));
    if (approvals.length === 0) return stderr.write('Nothing waits for a second person.\n');
    const head = ['ID', 'BY', 'WANTS TO', 'ON', 'WITH', 'UNTIL', 'STATE'].map(
      paintFor(stdout).faint,
    );
    stdout.write(table([head, ...approvals.map((approval) => row(approval, world))]));
  },
);

/** Approves a request of somebody else. */
export const approvalApprove: Command = defineCommand(
  {
    path: 'approval approve',
    summary: 'approve a request of another person',
    details: 'Whoever asked makes the same request again then; the approval counts once.',
    arguments: ['id'],
    options: { json: JSON_OPTION, data: DATA_OPTION },
    examples: ['approval approve 0123456789abcdef'],
  },
  async (world, { values: { json, data }, positionals: [id = ''] }) => {
    const approval = await withStepUp(world, data, (client) => client.approve(id));
    const { stdout } = world;
    if (json === true) return stdout.write(jsonLine(approval));
    const { principal, action, resource } = approval;
    stdout.write(
      `${printable(principal)} may ${printable(action)} on ${printable(resource)}, once: ` +
        'by doing the same again.\n',
    );
  },
);

/** Refuses a request of somebody else. */
export const approvalRefuse: Command = defineCommand(
  {
    path: 'approval refuse',
    summary: 'refuse a request of another person',
    arguments: ['id'],
    options: { json: JSON_OPTION, data: DATA_OPTION },
    examples: ['approval refuse 0123456789abcdef'],
  },
  async (world, { values: { json, data }, positionals: [id = ''] }) => {
    await withStepUp(world, data, (client) => client.refuseApproval(id));
    world.stdout.write(json === true ? jsonLine({ id, isRefused: true }) : 'Refused.\n');
  },
);

function row(approval: ApprovalView, { timeZone }: World): string[] {
  const { id, principal, action, resource, body, expiresAt, approvedBy } = approval;
  return [
    printable(id),
    printable(principal),
    printable(action),
    printable(resource),
    printable(shorten(body, BODY_CHARACTERS)),
    localTime(expiresAt, timeZone),
    approvedBy === undefined ? 'waits' : `approved by ${printable(approvedBy)}`,
  ];
}

const BODY_CHARACTERS = 40;
