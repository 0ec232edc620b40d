/** Whether what is shown is of now. @module */
import { useSyncExternalStore } from 'react';
import { type Contact, currentContact, watchContact } from './owner-query.ts';

/** How the contact to the server is. */
export function useContact(): Contact {
  return useSyncExternalStore(watchContact, currentContact);
}
