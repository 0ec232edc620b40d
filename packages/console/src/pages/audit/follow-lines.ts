/** Follows an answer that comes line by line. @module */
import { askResponse } from '../../api/ask.ts';

/**
 * Posts `{}` and hears each line of the answer, which is JSON of the server.
 * @throws Problem when the server refuses, or AbortError
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- who asks knows the lines.
export async function followLines<T>(
  path: string,
  { onLine, signal }: { onLine: (line: T) => void; signal: AbortSignal },
): Promise<void> {
  const { body } = await askResponse(path, { method: 'POST', signal });
  if (body === null) throw new Error('the answer has no lines');
  let rest = '';
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    const lines = (rest + (value ?? '')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') onLine(JSON.parse(line) as T);
    if (done) return;
  }
}
