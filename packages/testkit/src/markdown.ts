/** Reads the pages of the documentation: their links, headings, and the commands that tests run. @module */

/** A block of code on a page. */
export interface CodeBlock {
  /** What stands behind its fence: `sh`, `python`. */
  readonly language: string;
  readonly text: string;
  /** Text of the HTML comment right before it, such as `run`; empty without one. */
  readonly mark: string;
}

/** What of a page a test looks at. */
export interface Page {
  /** Targets of its links and pictures, as written. */
  readonly links: readonly string[];
  /** The anchors of its headings, as GitHub makes them. */
  readonly anchors: ReadonlySet<string>;
  readonly blocks: readonly CodeBlock[];
}

/** Reads a page of Markdown. */
export function readPage(markdown: string): Page {
  const blocks = [...markdown.matchAll(FENCED)].map(([, mark = '', language = '', text = '']) => ({
    language,
    text,
    mark: mark.trim(),
  }));
  const prose = markdown.replaceAll(FENCED, '\n');
  const withoutCode = prose.replaceAll(/`[^`\n]*`/gu, (code) => '`'.repeat(code.length));
  return { links: linksOf(withoutCode), anchors: anchorsOf(prose), blocks };
}

const FENCED = /(?:^<!--([^]*?)-->\n+)?^ *```(\w*)[^\n]*\n([^]*?)^ *```$/gmu;
const LINK = /!?\[[^\]]*\]\(([^)\s]+)(?:\s+"[^"]*")?\)/gu;
const HTML_LINK = /<(?:a|img)\s[^>]*?(?:href|src)="([^"]+)"/gu;

function linksOf(text: string): string[] {
  const found = [...text.matchAll(LINK), ...text.matchAll(HTML_LINK)];
  return found.map(([, target = '']) => target);
}

function anchorsOf(prose: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of prose.matchAll(/^#{1,6} +(.+?) *#*$/gmu)) {
    const base = anchorOf(heading);
    let anchor = base;
    for (let count = 1; anchors.has(anchor); count += 1) anchor = `${base}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** The anchor that GitHub gives a heading. */
export function anchorOf(heading: string): string {
  return heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/gu, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/gu, '-');
}
