/** Requests and what they change, as people read them. @module */
import type { DocumentSummary, SummaryLine } from '@holdfast/firmware';
import type { SigningRequestView } from '@holdfast/protocol/api';
import type { Paint } from '../paint.ts';
import { printable } from '../printable.ts';

/** What a request changes, line by line. */
export function summaryText(summaries: readonly DocumentSummary[], paint: Paint): string {
  const line = ({ kind, text }: SummaryLine): string => {
    const words = `  ${MARKS[kind]} ${printable(text)}`;
    return `${kind === 'warn' ? paint.bad(words) : words}\n`;
  };
  return summaries
    .map(({ title, lines }) => `${paint.strong(printable(title))}\n${lines.map(line).join('')}`)
    .join('\n');
}

/** Who has signed a request, and who is to. */
export function viewText({ documents }: SigningRequestView): string {
  return documents
    .map(({ repository, role, version, expiresAt, needs }) => {
      const title = `${repository} ${role}, version ${version}, until ${expiresAt.slice(0, 10)}\n`;
      const lines = needs.map(({ who, threshold, signers }) => {
        const names = signers.map(
          ({ name, keyId, hasSigned }) =>
            `${hasSigned ? '✓' : '·'} ${printable(name === '' ? keyId.slice(0, 8) : name)}`,
        );
        return `  ${who}: ${threshold} of  ${names.join('  ')}\n`;
      });
      return title + lines.join('');
    })
    .join('');
}

const MARKS = { add: '+', remove: '-', change: '~', keep: ' ', warn: '!' } as const;
