/** Asks before something is done that cannot easily be undone. @module */
import { Stack, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { Dialog, DialogButtons, type DialogProps } from './dialog.tsx';

/** What is asked. */
export interface ConfirmProps extends DialogProps {
  readonly title: string;
  /** What happens, and what does not come back. */
  readonly children: ReactNode;
  /** The word on the button: what is done. */
  readonly action: string;
  /** Has to be typed, such as the id of the device. */
  readonly typed?: string;
  /** Asks for a reason, which goes on the audit log. */
  readonly asksReason?: boolean;
  readonly isDangerous?: boolean;
  readonly isBusy?: boolean;
  /** What went wrong when it was tried. */
  readonly problem?: ReactNode;
  readonly onConfirm: (reason: string) => void;
}

const REASON_CHARACTERS_MAX = 256;

/** A dialog. What was typed into it is gone when it closes. */
export function Confirm(props: ConfirmProps): ReactNode {
  const { isOpen, title, onClose } = props;
  return (
    <Dialog isOpen={isOpen} onClose={onClose} title={title}>
      <ConfirmForm {...props} />
    </Dialog>
  );
}

function ConfirmForm({
  children,
  action,
  typed,
  asksReason = false,
  isDangerous = false,
  isBusy = false,
  problem,
  onConfirm,
  onClose,
}: ConfirmProps): ReactNode {
  const [text, setText] = useState('');
  const [reason, setReason] = useState('');
  const mayGoOn = (typed === undefined || text === typed) && (!asksReason || reason.trim() !== '');
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (mayGoOn && !isBusy) onConfirm(reason.trim());
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <div>{children}</div>
        {asksReason && (
          <TextInput
            label="Why"
            description="It goes on the audit log, with your name."
            value={reason}
            maxLength={REASON_CHARACTERS_MAX}
            onChange={(event) => setReason(event.currentTarget.value)}
            required
            data-autofocus
          />
        )}
        {typed !== undefined && (
          <TextInput
            label={`Type ${typed} to go on`}
            value={text}
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => setText(event.currentTarget.value)}
            {...(!asksReason && { 'data-autofocus': true })}
          />
        )}
        {problem}
        <DialogButtons
          action={action}
          isDangerous={isDangerous}
          isBusy={isBusy}
          isDisabled={!mayGoOn}
          onClose={onClose}
        />
      </Stack>
    </form>
  );
}
