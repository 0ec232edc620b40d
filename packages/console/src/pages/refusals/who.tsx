/** Whom a refusal is of: proven, only claimed, or nobody. @module */
import type { RefusalView } from '@holdfast/protocol/api';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { personName } from '../../parts/person-name.ts';
import { isDevice } from './refusal-filter.ts';

/** In words, without links: it may stand in a button. */
export function whoText({ principal, claimed, address }: RefusalView): string {
  const from = address === undefined ? '' : ` from ${address}`;
  if (principal !== undefined) return `${personName(principal)}${from}`;
  if (claimed !== undefined) return `somebody who says ${claimed}${from}`;
  return address === undefined ? 'nobody who is known' : address;
}

/** A principal; a device leads to its page. */
export function Principal({ name }: { readonly name: string }): ReactNode {
  if (!isDevice(name)) return <code>{name}</code>;
  return (
    <Link to={`/devices/${encodeURIComponent(name)}`}>
      <code>{name}</code>
    </Link>
  );
}
