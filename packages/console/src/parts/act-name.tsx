/** What was done, in words; how the log calls it, at hand. @module */
import { actWords } from '@holdfast/protocol';
import { Tooltip } from '@mantine/core';
import type { ReactNode } from 'react';

/** An act or event. Its name on the log comes on hover and on touch. */
export function ActName({
  action,
  words = actWords(action),
}: {
  /** Such as `device.revoke`. */
  readonly action: string;
  /** Other words for it, where it is told of somebody else. */
  readonly words?: string;
}): ReactNode {
  return (
    <Tooltip label={action} events={{ hover: true, focus: true, touch: true }}>
      <span>{words}</span>
    </Tooltip>
  );
}
