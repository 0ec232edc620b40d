/** What is shown when the page itself fails, in place of nothing. @module */
import { Component, type ReactNode } from 'react';
import { problemOf } from '../../api/problem.ts';
import { Message } from '../../parts/message.tsx';

interface State {
  readonly error: unknown;
}

/** Keeps a failure from taking the whole page away without a word. */
export class ErrorBoundary extends Component<{ readonly children: ReactNode }, State> {
  override state: State = { error: undefined };

  static getDerivedStateFromError(error: unknown): State {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    const { message, fix } = problemOf(error);
    return (
      <Message tone="bad" title={message}>
        {fix}
      </Message>
    );
  }
}
