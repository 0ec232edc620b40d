/** Recovery codes, shown this once. @module */
import { Button, Checkbox, CopyButton, Group, Stack, Text } from '@mantine/core';
import { Check, Copy, Download } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import { saveFile } from '../../parts/save-file.ts';
import styles from './recovery-codes.module.css';

/** The codes; goes on when the person says that they are kept. */
export function RecoveryCodes({
  codes,
  name,
  onKept,
}: {
  readonly codes: readonly string[];
  /** Whose they are. */
  readonly name: string;
  readonly onKept: () => void;
}): ReactNode {
  const [isKept, setIsKept] = useState(false);
  useLeaveWarning();
  const text = `${codes.join('\n')}\n`;
  return (
    <Stack gap="md">
      <Text size="sm">
        With your password, each of these lets you in once when your passkey or your authenticator
        app is not at hand. <strong>They are shown only now.</strong>
      </Text>
      <ul className={styles['codes']} aria-label="Recovery codes">
        {codes.map((code) => (
          <li key={code}>
            <code className={styles['code']}>{code}</code>
          </li>
        ))}
      </ul>
      <Group gap="xs">
        <CopyButton value={text} timeout={2_000}>
          {({ copied, copy }) => (
            <Button
              variant="default"
              leftSection={copied ? <Check size={16} /> : <Copy size={16} />}
              onClick={copy}
            >
              {copied ? 'Copied' : 'Copy'}
            </Button>
          )}
        </CopyButton>
        <Button
          variant="default"
          leftSection={<Download size={16} />}
          onClick={() => saveFile(`holdfast-recovery-codes-${name}.txt`, fileText(text, name))}
        >
          Save as a file
        </Button>
      </Group>
      <Checkbox
        checked={isKept}
        onChange={(event) => setIsKept(event.currentTarget.checked)}
        label="I have kept them where I find them without this computer"
        description="On paper, or in a password manager; not beside the password on this machine."
      />
      <Button disabled={!isKept} onClick={onKept} fullWidth>
        Continue
      </Button>
    </Stack>
  );
}

/** Whoever closes the page now loses the codes. */
function useLeaveWarning(): void {
  useEffect(() => {
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener('beforeunload', warn);
    return () => removeEventListener('beforeunload', warn);
  }, []);
}

function fileText(codes: string, name: string): string {
  return `Recovery codes of ${name} at ${location.host}\nEach works once, with the password.\n\n${codes}`;
}
