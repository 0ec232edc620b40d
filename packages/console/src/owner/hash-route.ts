/** Which page is shown: it stands behind the # of the address, which no server sees. @module */
import { useSyncExternalStore } from 'react';
import { decoded } from './decoded.ts';

/** The pages of an owner. */
export type OwnerRoute =
  | { readonly page: 'devices' }
  | { readonly page: 'device'; readonly id: string }
  | { readonly page: 'updates' }
  | { readonly page: 'phones' }
  | { readonly page: 'add' }
  | { readonly page: 'pair'; readonly text: string };

/** Reads what stands behind the #. What is none of ours is the list of devices. */
function routeOf(hash: string): OwnerRoute {
  const [first = '', ...rest] = hash.replace(/^#\/?/u, '').split('/');
  const tail = rest.join('/');
  if (first === 'devices' && tail !== '') return { page: 'device', id: decoded(tail) };
  if (first === 'pair' && tail !== '') return { page: 'pair', text: tail };
  if (first === 'updates' || first === 'phones' || first === 'add') return { page: first };
  return { page: 'devices' };
}

/** Link to the page of a device. */
export function deviceLink(id: string): string {
  return `#/devices/${encodeURIComponent(id)}`;
}

export function useHashRoute(): OwnerRoute {
  const hash = useSyncExternalStore(watchHash, () => location.hash);
  return routeOf(hash);
}

/** Goes to another page; `replace` leaves nothing in the history, as for a code that is used. */
export function goTo(hash: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  if (replace) {
    history.replaceState(null, '', hash);
    globalThis.dispatchEvent(new HashChangeEvent('hashchange'));
  } else location.hash = hash;
}

function watchHash(watcher: () => void): () => void {
  globalThis.addEventListener('hashchange', watcher);
  return () => globalThis.removeEventListener('hashchange', watcher);
}
