/** All commands, in the order in which help shows them. @module */
import type { CommandGroup } from '../help.ts';
import { approvalApprove, approvalList, approvalRefuse } from './approval.ts';
import { auditCheck } from './audit-check.ts';
import { auditProve } from './audit-prove.ts';
import { auditVerify } from './audit-verify.ts';
import { auditWitness } from './audit-witness.ts';
import { auditActs, auditCheckpoint } from './audit.ts';
import { backupForget, backupPrune, backupSchedule } from './backup-manage.ts';
import { backupList, backupMake, backupStatus } from './backup.ts';
import { bucketAccept, bucketCheck, bucketList } from './bucket-check.ts';
import { bucketPolicy } from './bucket-policy.ts';
import { caCrl } from './ca-crl.ts';
import { caExportRoot } from './ca-export-root.ts';
import { caRotate } from './ca-rotate.ts';
import { caStatus } from './ca-status.ts';
import { classSet, classShow } from './class.ts';
import {
  deviceQuarantine,
  deviceRelease,
  deviceResume,
  deviceRetire,
  deviceRevoke,
  deviceSuspend,
} from './device-acts.ts';
import { deviceApiKeyCreate, deviceApiKeyList, deviceApiKeyRemove } from './device-api-key.ts';
import { deviceAdd, deviceClaim } from './device-claim.ts';
import { deviceCommand } from './device-command.ts';
import { deviceEnroll } from './device-enroll.ts';
import { deviceErase } from './device-erase.ts';
import { deviceImport } from './device-import.ts';
import { deviceList, deviceShow } from './device-list.ts';
import { devicePairCode, deviceReset } from './device-pairing.ts';
import { deviceRenew } from './device-renew.ts';
import { deviceSetGroup } from './device-set-group.ts';
import { exportActs, exportDevices, exportReadings } from './export.ts';
import { keysCustody, keysSetCustody } from './keys-custody.ts';
import { keysEscrow, keysRecover } from './keys-escrow.ts';
import { keysRotate } from './keys-rotate.ts';
import { keysStatus } from './keys-status.ts';
import { login } from './login.ts';
import {
  deviceAllowIdevid,
  manufacturerAdd,
  manufacturerList,
  manufacturerRemove,
} from './manufacturer.ts';
import { oidcRemove, oidcSet, oidcShow } from './oidc.ts';
import {
  personAdd,
  personDisable,
  personEnable,
  personList,
  personRemove,
  personResetFactors,
  personRole,
} from './person.ts';
import { pin } from './pin.ts';
import { policyDiff, policyExplain, policyTest } from './policy-try.ts';
import { policyHistory, policyRollback, policySet, policyShow } from './policy.ts';
import { readings } from './readings.ts';
import { refusals } from './refusals.ts';
import { backupDrill, restore } from './restore.ts';
import { seriesLatest, seriesList } from './series-list.ts';
import { serverRotateKey } from './server-rotate-key.ts';
import { sessionEnd, sessionList } from './session.ts';
import { status } from './status.ts';
import { up } from './up.ts';
import { witnessAdd, witnessList, witnessRemove } from './witness.ts';

export const COMMAND_GROUPS: readonly CommandGroup[] = [
  { title: 'Server', commands: [up, status, login, pin, serverRotateKey] },
  {
    title: 'Devices',
    commands: [
      deviceAdd,
      deviceImport,
      deviceEnroll,
      deviceRenew,
      deviceList,
      deviceShow,
      deviceCommand,
      deviceClaim,
      devicePairCode,
      deviceReset,
      deviceErase,
      deviceSetGroup,
      deviceQuarantine,
      deviceRelease,
      deviceSuspend,
      deviceResume,
      deviceRevoke,
      deviceRetire,
      deviceApiKeyCreate,
      deviceApiKeyList,
      deviceApiKeyRemove,
      deviceAllowIdevid,
      manufacturerAdd,
      manufacturerList,
      manufacturerRemove,
      classShow,
      classSet,
    ],
  },
  {
    title: 'Keys',
    commands: [keysStatus, keysRotate, keysCustody, keysSetCustody, keysEscrow, keysRecover],
  },
  { title: 'Certificate authority', commands: [caStatus, caRotate, caExportRoot, caCrl] },
  {
    title: 'People',
    commands: [
      personAdd,
      personList,
      personRole,
      personDisable,
      personEnable,
      personRemove,
      personResetFactors,
      sessionList,
      sessionEnd,
      oidcSet,
      oidcShow,
      oidcRemove,
    ],
  },
  {
    title: 'Who may do what',
    commands: [
      policyShow,
      policySet,
      policyHistory,
      policyRollback,
      policyDiff,
      policyTest,
      policyExplain,
      approvalList,
      approvalApprove,
      approvalRefuse,
    ],
  },
  { title: 'What happens', commands: [readings, seriesList, seriesLatest, refusals] },
  {
    title: 'Backups and exports',
    commands: [
      backupMake,
      backupStatus,
      backupList,
      backupDrill,
      backupSchedule,
      backupPrune,
      backupForget,
      bucketCheck,
      bucketList,
      bucketAccept,
      bucketPolicy,
      restore,
      exportReadings,
      exportActs,
      exportDevices,
    ],
  },
  {
    title: 'Audit',
    commands: [
      auditVerify,
      auditProve,
      auditCheck,
      auditActs,
      auditCheckpoint,
      auditWitness,
      witnessAdd,
      witnessList,
      witnessRemove,
    ],
  },
];
