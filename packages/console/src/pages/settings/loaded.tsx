/** A panel about one answer of the API; left out for who may not see it. @module */
import type { ReactNode } from 'react';
import { useAsk } from '../../api/use-ask.ts';
import { Loading } from '../../parts/empty.tsx';
import { ProblemMessage } from '../../parts/message.tsx';
import { Panel, type PanelProps } from '../../parts/panel.tsx';

interface LoadedProps<T> extends Omit<PanelProps, 'children'> {
  readonly path: string;
  readonly what: string;
  readonly children: (answer: T) => ReactNode;
}

/** The panel. */
export function LoadedPanel<T>({ path, what, children, ...panel }: LoadedProps<T>): ReactNode {
  const { data, error } = useAsk<T>(path);
  if (error?.status === 403) return null;
  return (
    <Panel {...panel}>
      <ProblemMessage error={error} />
      {data === undefined ? error === null && <Loading what={what} /> : children(data)}
    </Panel>
  );
}
