import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseExpectations } from './expectations.ts';
import { Failure } from './failure.ts';

test('a file of expectations is read, with comments and circumstances', () => {
  const text = `# who may what
permit role:viewer device:read device:pump-1   # a comment
\trefuse  person:ada policy:set server with step-up\r

permit role:administrator policy:set server with step-up with second-person`;
  assert.deepEqual(
    parseExpectations(text, 'x').map(({ line, decision, steppedUp, secondPerson }) => [
      line,
      decision,
      steppedUp,
      secondPerson,
    ]),
    [
      [2, 'permit', false, false],
      [3, 'refuse', true, false],
      [5, 'permit', true, true],
    ],
  );
});

test('a mistake is told with its line', () => {
  for (const wrong of [
    'allow role:viewer device:read server',
    'permit role:viewer device:read',
    'permit role:viewer device:read server step-up',
    'permit role:viewer device:read server with luck',
    'permit role:viewer device:read server with',
  ]) {
    assert.throws(
      () => parseExpectations(`# fine\n${wrong}`, 'x.txt'),
      (error) =>
        error instanceof Failure && error.message.startsWith('x.txt has a mistake in line 2'),
      wrong,
    );
  }
});

test('any text is read or refused as a mistake of its writer', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      try {
        parseExpectations(text, 'x');
      } catch (error) {
        assert.ok(error instanceof Failure);
      }
    }),
  );
});

test('what is written is what is read', () => {
  const word = fc.stringMatching(/^[a-z][a-z:[\]=,-]{0,12}$/);
  const line = fc.record({
    decision: fc.constantFrom('permit' as const, 'refuse' as const),
    principal: word,
    action: word,
    resource: word,
    steppedUp: fc.boolean(),
    secondPerson: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const text = lines.map(
        ({ decision, principal, action, resource, steppedUp, secondPerson }) =>
          `${decision} ${principal} ${action} ${resource}` +
          `${steppedUp ? ' with step-up' : ''}${secondPerson ? ' with second-person' : ''}`,
      );
      const read = parseExpectations(text.join('\n'), 'x');
      assert.deepEqual(
        read,
        lines.map((each, at) => ({ line: at + 1, ...each })),
      );
    }),
  );
});
