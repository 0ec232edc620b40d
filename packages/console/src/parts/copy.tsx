/** What a person takes elsewhere: an id, a fingerprint, a command. @module */
import { ActionIcon, CopyButton, Tooltip } from '@mantine/core';
import { Check, Copy } from 'lucide-react';
import type { ReactNode } from 'react';
import styles from './copy.module.css';

/** A button that copies. */
function CopyIcon({
  value,
  label,
}: {
  readonly value: string;
  /** What is copied, such as "the id". */
  readonly label: string;
}): ReactNode {
  return (
    <CopyButton value={value} timeout={2_000}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? 'Copied' : `Copy ${label}`}>
          <ActionIcon
            variant="subtle"
            color="gray"
            size="sm"
            onClick={copy}
            aria-label={copied ? 'Copied' : `Copy ${label}`}
          >
            {copied ? <Check size={14} /> : <Copy size={14} />}
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  );
}

/** An id or fingerprint, with a button that copies it. */
export function CopyText({
  value,
  label,
  shown = value,
}: {
  readonly value: string;
  readonly label: string;
  /** What is shown in its place, when it is long. */
  readonly shown?: string;
}): ReactNode {
  return (
    <span className={styles['text']}>
      <code className={styles['code']}>{shown}</code>
      <CopyIcon value={value} label={label} />
    </span>
  );
}

/** Commands or a file, with a button that copies all of it. */
export function CodeBlock({
  code,
  label,
  isWrapped = false,
}: {
  readonly code: string;
  /** A line that is too long goes on below, instead of being scrolled. */
  readonly isWrapped?: boolean;
  /** What it is, for who cannot see it, such as "the command". */
  readonly label: string;
}): ReactNode {
  return (
    <div className={styles['block']}>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls */}
      <pre className={styles['pre']} data-wrapped={isWrapped} tabIndex={0} aria-label={label}>
        {code}
      </pre>
      <div className={styles['copy']}>
        <CopyIcon value={code} label={label} />
      </div>
    </div>
  );
}
