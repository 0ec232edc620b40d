/** The console: its routes, and what is around all of them. @module */
import { QueryClientProvider } from '@tanstack/react-query';
import { type ReactNode, Suspense, useState } from 'react';
import { BrowserRouter, Navigate, Outlet, Route, Routes, useLocation } from 'react-router';
import { createQueryClient } from './api/query-client.ts';
import { useMe } from './api/use-me.ts';
import { LiveProvider } from './live/use-live.tsx';
import { NotFoundPage } from './pages/not-found-page.tsx';
import { Loading } from './parts/empty.tsx';
import { ProblemMessage } from './parts/message.tsx';
import { StepUpProvider } from './parts/use-act.tsx';
import { NAV_ROUTES, OPEN_ROUTES, OTHER_ROUTES } from './routes.tsx';
import { Permitted } from './shell/permitted.tsx';
import { Shell } from './shell/shell.tsx';
import { ThemeProvider } from './theme/theme-provider.tsx';

/** All of it. */
export function App(): ReactNode {
  const [queries] = useState(createQueryClient);
  return (
    <ThemeProvider>
      <QueryClientProvider client={queries}>
        <BrowserRouter>
          <Routes>
            {OPEN_ROUTES.map(({ path, page: Page }) => (
              <Route key={path} path={path} element={<Open page={<Page />} />} />
            ))}
            <Route element={<SignedIn />}>
              <Route element={<Shell />}>
                {[...NAV_ROUTES, ...OTHER_ROUTES].map(({ path, page: Page }) => (
                  <Route
                    key={path}
                    path={path}
                    element={
                      <Permitted>
                        <Page />
                      </Permitted>
                    }
                  />
                ))}
                <Route path="*" element={<NotFoundPage />} />
              </Route>
            </Route>
          </Routes>
        </BrowserRouter>
      </QueryClientProvider>
    </ThemeProvider>
  );
}

function Open({ page }: { readonly page: ReactNode }): ReactNode {
  return <Suspense fallback={<Loading what="the page" />}>{page}</Suspense>;
}

/** Who is not signed in is led to where they can. */
function SignedIn(): ReactNode {
  const me = useMe();
  const { pathname: from, search } = useLocation();
  if (me.error?.status === 401) {
    return <Navigate to="/sign-in" state={{ from: onThisServer(from + search) }} replace />;
  }
  // Who was known a moment ago is so still while the server starts again.
  if (me.error !== null && me.data === undefined) return <ProblemMessage error={me.error} />;
  if (me.data === undefined) return <Loading what="who you are" />;
  if (me.data.needsSecondFactor === true) return <Navigate to="/set-up" replace />;
  return (
    <LiveProvider>
      <StepUpProvider>
        <Outlet />
      </StepUpProvider>
    </LiveProvider>
  );
}

/** `//name/…` would be a page of another server. */
function onThisServer(path: string): string {
  return path.replace(/^[/\\]+/u, '/');
}
