import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { csvLine, parseCsv } from './csv.ts';

/** Fields with what makes trouble in them, more often than by chance. */
const field = fc
  .array(fc.oneof(fc.constantFrom('"', ',', '\r', '\n', '\r\n', ';', ' '), fc.string()), {
    maxLength: 4,
  })
  .map((parts) => parts.join(''));

const record = fc
  .array(field, { minLength: 1, maxLength: 5 })
  .filter((fields) => fields.length > 1 || fields[0] !== '');

test('what is written reads back the same, whatever the line ends and the quotes', () => {
  const ends = fc.constantFrom('\r\n', '\n', '\r');
  const options = fc.record({ end: ends, hasMark: fc.boolean(), endsInLine: fc.boolean() });
  fc.assert(
    fc.property(fc.array(record), options, fc.boolean(), (all, options, quotesAll) => {
      const { end, hasMark, endsInLine } = options;
      const lines = all.map((fields) =>
        quotesAll
          ? fields.map((value) => `"${value.replaceAll('"', '""')}"`).join(',')
          : csvLine(fields).slice(0, -2),
      );
      const text = lines.join(end) + (endsInLine && lines.length > 0 ? end : '');
      // A mark at the beginning of the first field would be taken for that of the text.
      fc.pre(hasMark || !text.startsWith('\uFEFF'));
      const { records, problems } = parseCsv(hasMark ? `\uFEFF${text}` : text);
      assert.deepEqual(problems, []);
      assert.deepEqual(
        records.map(({ fields }) => fields),
        all,
      );
    }),
  );
});

test('any text gives records and problems on lines that it has', () => {
  fc.assert(
    fc.property(field, (text) => {
      const { records, problems } = parseCsv(text);
      const count = text.split(/\r\n|\r|\n/u).length;
      for (const { line } of [...records, ...problems]) assert.ok(line >= 1 && line <= count);
    }),
  );
});

test('records say on which line they begin', () => {
  const { records } = parseCsv('id,class\r\n\r\n"a\nb",x\n"c\r\nd"\re,\n');
  assert.deepEqual(records, [
    { line: 1, fields: ['id', 'class'] },
    { line: 3, fields: ['a\nb', 'x'] },
    { line: 5, fields: ['c\r\nd'] },
    { line: 7, fields: ['e', ''] },
  ]);
});

test('all that is wrong is found, each with its line', () => {
  const { problems } = parseCsv('a"b,c\n"d"e,f\ng,h\n"i\nj');
  assert.deepEqual(problems, [
    { line: 1, what: 'has a quotation mark in a field that is not quoted' },
    { line: 2, what: 'has text behind the end of a quoted field' },
    { line: 4, what: 'begins a quoted field that does not end' },
  ]);
});

test('a large field is read in the time that its length takes', () => {
  const value = '"'.repeat(200_000);
  const { records } = parseCsv(csvLine(['a', value]));
  assert.equal(records[0]?.fields[1], value);
});
