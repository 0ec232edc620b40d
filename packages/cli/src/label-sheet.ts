/** A file of labels that grows page by page. @module */
import type { AppendFile } from './append-file.ts';
import { LABELS_HEAD, LABELS_PER_PAGE, LABELS_TAIL, type Label, labelPage } from './labels.ts';

/** Labels in a new file. */
export class LabelSheet {
  readonly #file: AppendFile;
  #waiting: Label[] = [];
  #pages = 0;

  constructor(file: AppendFile) {
    this.#file = file;
    file.append(LABELS_HEAD);
  }

  /** Pages that are in the file. */
  get pages(): number {
    return this.#pages;
  }

  /** Adds labels; whole pages are written. */
  add(labels: readonly Label[]): void {
    this.#waiting.push(...labels);
    let text = '';
    while (this.#waiting.length >= LABELS_PER_PAGE) text += this.#nextPage();
    if (text !== '') this.#file.append(text);
  }

  /** Writes the last page. */
  end(): void {
    const last = this.#waiting.length > 0 ? this.#nextPage() : '';
    this.#file.append(`${last}${LABELS_TAIL}`);
  }

  close(): void {
    this.#file.close();
  }

  #nextPage(): string {
    this.#pages += 1;
    return labelPage(this.#waiting.splice(0, LABELS_PER_PAGE));
  }
}
