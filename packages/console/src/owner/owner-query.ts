/** What the pages remember of the server's answers, and whether they are of now. @module */
import { QueryCache, QueryClient } from '@tanstack/react-query';
import { problemOf } from '../api/problem.ts';

/** What is heard from the server. */
export interface Contact {
  /** Whether the last request was answered. */
  readonly isReached: boolean;
  /** When the server answered last, in milliseconds since 1970. */
  readonly heardMs: number;
  /** Whether the server knows this phone no more. */
  readonly isEnded: boolean;
}

let contact: Contact = { isReached: true, heardMs: Date.now(), isEnded: false };
const watchers = new Set<() => void>();

/** The contact now; another object when it has changed. */
export function currentContact(): Contact {
  return contact;
}

export function watchContact(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** Forgets that this phone was unknown, as it is being paired again. */
export function beginAnew(): void {
  become({ isReached: true, heardMs: Date.now(), isEnded: false });
}

/** Answers, asked for again by themselves; a failure is shown at once, and asking goes on. */
export function createOwnerQueries(): QueryClient {
  const queryCache = new QueryCache({
    onSuccess: () => become({ ...contact, isReached: true, heardMs: Date.now() }),
    onError: (error) => {
      const { status } = problemOf(error);
      if (status === 0) become({ ...contact, isReached: false });
      if (status === 401) become({ ...contact, isReached: true, isEnded: true });
    },
  });
  // The browser's own idea of being online is wrong too often to wait for it.
  const queries = { retry: false, networkMode: 'always', refetchOnWindowFocus: true } as const;
  return new QueryClient({ queryCache, defaultOptions: { queries } });
}

function become(next: Contact): void {
  const isSame =
    next.isReached === contact.isReached &&
    next.isEnded === contact.isEnded &&
    // Shown to the second, and only when it is over.
    next.isReached;
  contact = next;
  if (!isSame) for (const watcher of watchers) watcher();
}
