/** Builds the console into `dist`, which the server serves. @module */
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// oxlint-disable-next-line import/no-default-export -- Vite reads its settings from there.
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    target: 'es2023',
    // No `data:` URL of a file: the policy of the pages permits none in style sheets.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: ['index.html', 'app.html'].map((name) => `${import.meta.dirname}/${name}`),
    },
  },
});
