/** What all dialogs with a form have: the frame, and the two buttons at the end. @module */
import { Button, Group, Modal, type ModalProps } from '@mantine/core';
import type { ReactNode } from 'react';

/** Whether a dialog is there, and what closes it. */
export interface DialogProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

/** The frame. What was typed into it is gone when it closes. */
export function Dialog({
  isOpen,
  onClose,
  title,
  size = 'md',
  children,
}: DialogProps & Pick<ModalProps, 'title' | 'size' | 'children'>): ReactNode {
  return (
    <Modal opened={isOpen} onClose={onClose} title={title} size={size}>
      {isOpen && children}
    </Modal>
  );
}

/** Goes back, or sends the form that it stands in. */
export function DialogButtons({
  action,
  isDangerous = false,
  isBusy,
  isDisabled = false,
  onClose,
}: {
  /** The word on the button: what is done. */
  readonly action: string;
  readonly isDangerous?: boolean;
  readonly isBusy: boolean;
  readonly isDisabled?: boolean;
  readonly onClose: () => void;
}): ReactNode {
  return (
    <Group justify="flex-end">
      <Button variant="default" onClick={onClose}>
        Cancel
      </Button>
      <Button
        type="submit"
        disabled={isDisabled}
        loading={isBusy}
        {...(isDangerous && { color: 'red.9' })}
      >
        {action}
      </Button>
    </Group>
  );
}
