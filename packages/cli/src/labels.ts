/** Labels with claims as QR codes: pages of A4 to print, in one HTML file without anything else. @module */
import type { ImportedDevice } from '@holdfast/protocol/api';
import { encode } from 'uqr';

/** What a label says. */
export interface Label extends Pick<ImportedDevice, 'id' | 'class' | 'group'> {
  /** The claim text, for the QR code. */
  readonly claim: string;
  /** Last day of the claim, as text. */
  readonly until: string;
}

/** How many labels are on a page. */
export const LABELS_PER_PAGE = 24;

/** How the file begins. Scripts and anything from outside are forbidden in it. */
export const LABELS_HEAD = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Holdfast labels</title>
<style>
@page { size: A4; margin: 8mm }
body { margin: 0; font: 8pt/1.25 system-ui, sans-serif; color: #000; background: #fff }
section { display: grid; grid-template-columns: repeat(3, 64mm); grid-auto-rows: 34.5mm; gap: 0 1mm;
  break-after: page }
section:last-of-type { break-after: auto }
div { display: flex; align-items: center; gap: 1.5mm; overflow: hidden;
  outline: 0.1mm dashed #bbb; outline-offset: -0.1mm; padding: 1mm; box-sizing: border-box }
svg { flex: none; width: 32mm; height: 32mm }
p { margin: 0; overflow-wrap: anywhere }
b { font-size: 9pt }
small { font-size: 6.5pt; white-space: nowrap }
.long, .long * { font-size: 6pt }
@media screen { body { margin: 8mm } }
@media print { header { display: none } }
header { max-width: 192mm; font-size: 11pt; margin-bottom: 5mm }
</style>
<header>
<p>Print on A4 at its actual size (100 %), and cut along the lines. This text is not printed.</p>
<p>Each code enrolls its device, once, for whoever reads it first: <kbd>holdfast device enroll</kbd>.
Stick it where only the installer sees it, and delete this file when it is printed.</p>
</header>
`;
/** How it ends. */
export const LABELS_TAIL = '</html>\n';

/** One page, with at most {@link LABELS_PER_PAGE} labels. */
export function labelPage(labels: readonly Label[]): string {
  return `<section>\n${labels.map(labelHtml).join('')}</section>\n`;
}

function labelHtml({ id, class: deviceClass, group, claim, until }: Label): string {
  const lines = [deviceClass, ...(group === '' ? [] : [group])].map(escaped);
  const end = `<small>enroll by ${escaped(until)}</small>`;
  const text = [`<b>${escaped(id)}</b>`, ...lines, end].join('<br>');
  const size = id.length + group.length > LONG_CHARACTERS ? ' class="long"' : '';
  return `<div>${qrSvg(claim)}<p${size}>${text}</p></div>\n`;
}

/** A QR code as an SVG drawing; level M survives a scratch. @see ISO/IEC 18004 */
function qrSvg(text: string): string {
  const { data, size } = encode(text, { ecc: 'M', border: QUIET_MODULES });
  const path = data.map(rowPath).join('');
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges">` +
    `<path stroke="#000" d="${path}"/></svg>`
  );
}

/** The dark runs of one row as lines of the width 1: a tenth of the size of a square for each. */
function rowPath(row: readonly boolean[], y: number): string {
  let path = '';
  for (let x = 0; x < row.length; x += 1) {
    if (row[x] !== true) continue;
    const start = x;
    while (row[x + 1] === true) x += 1;
    path += `M${start} ${y}.5h${x + 1 - start}`;
  }
  return path;
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/gu, (character) => `&#${character.codePointAt(0)};`);
}

/** Id and group with more characters than these do not fit in the usual size. */
const LONG_CHARACTERS = 40;
/** Light modules around the code, without which readers do not find it. */
const QUIET_MODULES = 4;
