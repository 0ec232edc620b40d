/** Recovery codes over a page: it closes when they are kept. @module */
import { Modal } from '@mantine/core';
import type { ReactNode } from 'react';
import { useMe } from '../../api/use-me.ts';
import { personName } from '../../parts/person-name.ts';
import { RecoveryCodes } from './recovery-codes.tsx';

/** Open while there are codes. */
export function RecoveryCodesDialog({
  codes,
  onKept,
}: {
  readonly codes: readonly string[];
  readonly onKept: () => void;
}): ReactNode {
  const name = personName(useMe().data?.principal ?? '');
  return (
    <Modal
      opened={codes.length > 0}
      onClose={onKept}
      title="Keep your recovery codes"
      closeOnClickOutside={false}
      closeOnEscape={false}
      withCloseButton={false}
    >
      {codes.length > 0 && <RecoveryCodes codes={codes} name={name} onKept={onKept} />}
    </Modal>
  );
}
