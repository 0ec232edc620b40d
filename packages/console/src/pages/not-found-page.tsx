/** For an address that leads nowhere. @module */
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { Empty } from '../parts/empty.tsx';
import { Page } from '../parts/page.tsx';

/** The page. */
export function NotFoundPage(): ReactNode {
  return (
    <Page title="There is nothing here">
      <Empty title="This address leads to no page.">
        It may have been mistyped, or belong to another version. <Link to="/">Overview</Link>
      </Empty>
    </Page>
  );
}
