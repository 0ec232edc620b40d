/** All commands, in the order in which help shows them. @module */
import type { CommandGroup } from '../help.ts';
import { auditVerify } from './audit-verify.ts';
import { auditActs, auditCheckpoint } from './audit.ts';
import { deviceAdd, deviceClaim } from './device-claim.ts';
import { deviceCommand } from './device-command.ts';
import { deviceEnroll } from './device-enroll.ts';
import { deviceList, deviceShow } from './device-list.ts';
import { deviceRevoke } from './device-revoke.ts';
import { login } from './login.ts';
import { readings } from './readings.ts';
import { refusals } from './refusals.ts';
import { pin, status } from './status.ts';
import { up } from './up.ts';

export const COMMAND_GROUPS: readonly CommandGroup[] = [
  { title: 'Server', commands: [up, status, login, pin] },
  {
    title: 'Devices',
    commands: [
      deviceAdd,
      deviceEnroll,
      deviceList,
      deviceShow,
      deviceCommand,
      deviceClaim,
      deviceRevoke,
    ],
  },
  { title: 'What happens', commands: [readings, refusals] },
  { title: 'Audit', commands: [auditVerify, auditActs, auditCheckpoint] },
];
