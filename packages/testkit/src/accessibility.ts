/** Judges a page by axe-core: WCAG 2.2, levels A and AA. @module */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

interface Violation {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** What is used of a page's globals: types of the DOM are no business of programs outside it. */
interface InPage {
  readonly axe: { run(options: object): Promise<{ violations: Violation[] }> };
  readonly document: {
    getAnimations(): {
      readonly effect: { getComputedTiming(): { readonly endTime: number } } | null;
      readonly finished: Promise<unknown>;
    }[];
  };
}

/** What is wrong with a page as it is now, each with the element that it is about; empty is good. */
async function accessibilityProblems(page: Page): Promise<string[]> {
  // Evaluated by the developer tools, which the policy of the page does not hold for.
  await page.evaluate(readFileSync(AXE, 'utf8'));
  const violations = await page.evaluate(async (tags) => {
    const { axe, document } = globalThis as unknown as InPage;
    // A color in the middle of its change has a contrast that nobody reads by; what an element
    // inherits may begin to change in it when its parent is done.
    const changes = () =>
      document.getAnimations().filter(({ effect }) => {
        return effect?.getComputedTiming().endTime !== Infinity;
      });
    for (let under = changes(); under.length > 0; under = changes()) {
      // oxlint-disable-next-line no-await-in-loop -- one generation of changes after the other.
      await Promise.allSettled(under.map((change) => change.finished));
    }
    // What a canvas shows cannot be judged.
    return (await axe.run({ runOnly: tags, resultTypes: ['violations'] })).violations;
  }, TAGS);
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary = '' }) => `${id}: ${help}: ${html} ${failureSummary}`),
  );
}

/** The same in both themes. */
export async function accessibilityProblemsInBothThemes(page: Page): Promise<string[]> {
  const problems: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const shown = page.locator(`html[data-mantine-color-scheme="${colorScheme}"]`);
    await shown.waitFor({ state: 'attached' });
    problems.push(...(await accessibilityProblems(page)).map((one) => `${colorScheme}: ${one}`));
  }
  return problems;
}
