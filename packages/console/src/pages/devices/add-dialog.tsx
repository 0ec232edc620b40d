/** Adds devices: one, with its claim as a QR code; or many, from a file. @module */
import { Modal, Tabs } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { AddMany } from './add-many.tsx';
import { AddOne } from './add-one.tsx';

interface AddDialogProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

/** The dialog. Claims that it shows are gone when it closes, so that only its button closes it. */
export function AddDialog({ isOpen, onClose }: AddDialogProps): ReactNode {
  const [holdsSecret, setHoldsSecret] = useState(false);
  const close = (): void => {
    setHoldsSecret(false);
    onClose();
  };
  return (
    <Modal
      opened={isOpen}
      onClose={close}
      title="Add devices"
      size="lg"
      closeOnClickOutside={!holdsSecret}
      closeOnEscape={!holdsSecret}
    >
      {isOpen && (
        <Tabs defaultValue="one">
          <Tabs.List mb="md">
            <Tabs.Tab value="one">One device</Tabs.Tab>
            <Tabs.Tab value="many">Many, from a file</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="one">
            <AddOne onClaimed={() => setHoldsSecret(true)} onClose={close} />
          </Tabs.Panel>
          <Tabs.Panel value="many">
            <AddMany onClaimed={() => setHoldsSecret(true)} onClose={close} />
          </Tabs.Panel>
        </Tabs>
      )}
    </Modal>
  );
}
