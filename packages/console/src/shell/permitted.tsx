/** Shows a page to whoever can use it, and says plainly so to others. @module */
import type { ReactNode } from 'react';
import { useLocation } from 'react-router';
import { useMe } from '../api/use-me.ts';
import { Message } from '../parts/message.tsx';
import { Page } from '../parts/page.tsx';
import { lackingFor } from './page-needs.ts';

/** Around a page. */
export function Permitted({ children }: { readonly children: ReactNode }): ReactNode {
  const me = useMe();
  const { pathname } = useLocation();
  const lacking = lackingFor(pathname, me.data?.may);
  if (lacking === undefined || me.data === undefined) return children;
  const role = me.data.role.replaceAll('-', ' ');
  return (
    <Page title="This page is not for your role">
      <Message tone="warn" title={`Your role, ${role}, does not permit ${lacking.join(' or ')}.`}>
        Nothing is broken, and nothing was refused to you that others of your role can do. If you
        need this page, ask an administrator of this server for another role.
      </Message>
    </Page>
  );
}
