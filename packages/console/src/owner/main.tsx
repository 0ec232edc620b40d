/** Starts the owner's page. @module */
import '../theme/theme.css';
import './owner.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { followColorScheme } from './color-scheme.ts';
import { OwnerApp } from './owner-app.tsx';

const root = document.querySelector('#root');
if (root === null) throw new Error('the page has no root');
followColorScheme();
createRoot(root).render(
  <StrictMode>
    <OwnerApp />
  </StrictMode>,
);
