/** Moments that are named by their date. @module */

/** "Nov 28, 2026, 8:17 PM", in the person's own form. */
export function momentText(at: string | Date): string {
  return new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}
