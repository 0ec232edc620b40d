/** The look, as far as components take it from Mantine's theme; the rest is `theme.css`. @module */
import { Drawer, Menu, Modal, createTheme } from '@mantine/core';

/** Locking the scroll would write a style element, which the policy of the page forbids. */
const withoutScrollLock = {
  defaultProps: { lockScroll: false, closeButtonProps: { 'aria-label': 'Close' } },
};

/** The theme of the console. */
export const theme = createTheme({
  primaryColor: 'blue',
  primaryShade: 6,
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Modal: Modal.extend({
      ...withoutScrollLock,
      defaultProps: { ...withoutScrollLock.defaultProps, centered: true },
    }),
    Drawer: Drawer.extend(withoutScrollLock),
    // Without it, an open menu has an item that no one can name.
    Menu: Menu.extend({ defaultProps: { withInitialFocusPlaceholder: false } }),
  },
});
