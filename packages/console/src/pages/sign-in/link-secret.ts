/** What a link to the sign-in page brings behind its `#`, which no browser sends anywhere. @module */

/** What a link is for. */
export type LinkSecret =
  | { readonly kind: 'first' | 'invitation'; readonly code: string }
  | { readonly kind: 'oidc-refused' };

/** Reads what stands behind the `#`; undefined where that is nothing of ours. */
export function linkSecretOf(hash: string): LinkSecret | undefined {
  const text = hash.replace(/^#/u, '');
  if (text === 'oidc-refused') return { kind: 'oidc-refused' };
  const fields = new URLSearchParams(text);
  for (const kind of ['first', 'invitation'] as const) {
    const code = fields.get(kind);
    if (code !== null && code !== '') return { kind, code };
  }
  return undefined;
}

/** As {@link linkSecretOf}, of this page, whose history then shows it no more. */
export function takeLinkSecret(): LinkSecret | undefined {
  const { hash, pathname, search } = location;
  if (hash === '') return undefined;
  history.replaceState(history.state, '', pathname + search);
  return linkSecretOf(hash);
}
