/** How the console is left by whoever signs out. @module */

/**
 * Goes to the sign-in page afresh: nothing of what this person saw stays in memory, and the browser
 * shows nothing of it when somebody goes back.
 */
export function leave(): void {
  document.documentElement.hidden = true;
  location.assign('/sign-in');
}

/** Has a page that the browser has kept, and shows again, loaded anew: its session may be over. */
export function loadAnewWhenShownAgain(): void {
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted) location.reload();
  });
}
