/** Numbers for texts that many devices share, and that the devices choose. @module */

/** As many texts at most as there are devices that have one: a number is free when nobody has it. */
export class SharedTexts {
  /** By number; 0 is the empty text, which takes no counting. */
  readonly #texts: string[] = [''];
  readonly #users: number[] = [0];
  readonly #numbers = new Map<string, number>();
  readonly #free: number[] = [];

  /** The texts by their numbers; empty where a number is free. */
  get values(): readonly string[] {
    return this.#texts;
  }

  /** Gives the number of a text to one device more, in place of the one that it had. */
  exchange(before: number, text: string): number {
    const after = this.#take(text);
    this.#leave(before);
    return after;
  }

  #take(text: string): number {
    if (text === '') return 0;
    const number = this.#numbers.get(text) ?? this.#free.pop() ?? this.#texts.length;
    this.#numbers.set(text, number);
    this.#texts[number] = text;
    this.#users[number] = (this.#users[number] ?? 0) + 1;
    return number;
  }

  #leave(number: number): void {
    if (number === 0) return;
    const left = (this.#users[number] ?? 0) - 1;
    this.#users[number] = left;
    if (left > 0) return;
    this.#numbers.delete(this.#texts[number] ?? '');
    this.#texts[number] = '';
    this.#free.push(number);
  }
}
