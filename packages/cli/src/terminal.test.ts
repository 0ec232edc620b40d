import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { inputOf } from './terminal.ts';

/** What stands on the screen after a question, and the answer to it. */
async function asked(how: 'ask' | 'askHidden', question: string): Promise<[string, string]> {
  const [keyboard, screen] = [new PassThrough(), new PassThrough()];
  const answer = inputOf(keyboard, true, screen)[how](question);
  keyboard.write('yes\n');
  const typed = await answer;
  screen.end();
  return [await text(screen), typed];
}

describe('a question at the terminal', () => {
  for (const how of ['ask', 'askHidden'] as const) {
    it(`keeps its lines, and no server writes to the terminal in it (${how})`, async () => {
      const [shown, typed] = await asked(
        how,
        'One line,\nand the password of \u001B[2J\u202Eada: ',
      );
      assert.equal(typed, 'yes');
      const end = how === 'askHidden' ? '\n' : '';
      assert.equal(shown, `One line,\nand the password of \\u{1b}[2J\\u{202e}ada: ${end}`);
    });
  }
});
