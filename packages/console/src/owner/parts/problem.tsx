/** What went wrong, and what to do. @module */
import { type ReactNode, useEffect, useRef } from 'react';
import { problemOf } from '../../api/problem.ts';
import { Message } from '../../parts/message.tsx';

/** Nothing while there is no error. It is brought into view: on a phone it may be far away. */
export function ProblemBox({ error }: { readonly error: unknown }): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  const isThere = error !== null && error !== undefined;
  useEffect(() => {
    if (isThere) place.current?.scrollIntoView({ block: 'nearest' });
  }, [isThere]);
  if (!isThere) return null;
  const { message, fix } = problemOf(error);
  return (
    <div ref={place}>
      <Message tone="bad" title={message}>
        {fix}
      </Message>
    </div>
  );
}
