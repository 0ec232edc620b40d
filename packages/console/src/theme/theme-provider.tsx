/** Puts the theme around a page. @module */
// In a layer, so that ours comes after it in whatever order the built files are loaded.
import '@mantine/core/styles.layer.css';
import './theme.css';
import { MantineProvider } from '@mantine/core';
import type { ReactNode } from 'react';
import { theme } from './theme.ts';

/** Dark or light as the system is, until the person chooses. */
export function ThemeProvider({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      withCssVariables={false}
      withGlobalClasses={false}
    >
      {children}
    </MantineProvider>
  );
}
