/** `fw submit` and `fw requests`: signatures come back, and how far requests are. @module */
import { SIGNATURE_FILE_BYTES_MAX, readSignatures } from '@holdfast/firmware';
import type { SubmittedSignatures } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { usageFailure } from '../failure.ts';
import { accepted } from '../firmware/accepted.ts';
import { readBounded } from '../firmware/files.ts';
import { viewText } from '../firmware/request-text.ts';
import { localTime } from '../local-time.ts';
import { writeNew } from '../new-file.ts';
import { jsonLine, printable } from '../printable.ts';
import { withStepUp } from '../step-up.ts';

/** Hands signatures to the server. */
export const fwSubmit: Command = defineCommand(
  {
    path: 'fw submit',
    summary: 'hand signatures to the server, which publishes when there are enough',
    arguments: ['file...'],
    options: { json: JSON_OPTION, data: DATA_OPTION },
    examples: ['fw submit request.alice.sig.json request.bob.sig.json'],
  },
  async (world, { values, positionals }) => {
    const files = positionals.map((path) =>
      accepted(readSignatures(readBounded(path, SIGNATURE_FILE_BYTES_MAX)), path),
    );
    const { last, rest } = await withStepUp(world, values.data, async (client) => {
      let last: SubmittedSignatures | undefined;
      const published = new Set<string>();
      for (const file of files) {
        if (published.has(file.request)) continue;
        last = await client.submitSignatures(file);
        if (last.isPublished) published.add(file.request);
      }
      return { last, rest: files.filter(({ request }) => !published.has(request)).length };
    });
    const { stdout } = world;
    if (last === undefined) throw usageFailure('There is no file.', 'Name *.sig.json files.');
    if (values.json === true) return stdout.write(jsonLine(last));
    stdout.write(viewText(last.request));
    const isOpen = rest > 0 && !last.isPublished;
    stdout.write(
      isOpen ? 'More must sign before it counts.\n' : 'Published: it counts from now on.\n',
    );
  },
);

/** Lists the open requests, or writes one into a file. */
export const fwRequests: Command = defineCommand(
  {
    path: 'fw requests',
    summary: 'list what waits for signatures, and who has signed',
    arguments: ['id?'],
    options: {
      out: { type: 'string', value: 'FILE', help: 'write the request with this id into a file' },
      withdraw: { type: 'boolean', help: 'take the request with this id back' },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: ['fw requests', 'fw requests 3f2a --out request.json', 'fw requests 3f2a --withdraw'],
  },
  async (world, { values, positionals: [begin] }) => {
    const { stdout } = world;
    const all = await withClient(world, values.data, (client) => client.signingRequests());
    const requests = begin === undefined ? all : all.filter(({ id }) => id.startsWith(begin));
    const [request, ...more] = requests;
    if (values.out !== undefined || values.withdraw === true) {
      if (request === undefined || more.length > 0 || begin === undefined) {
        throw usageFailure('Which one?', 'Give the beginning of one id: holdfast fw requests.');
      }
      const { id } = request;
      if (values.withdraw === true) {
        await withStepUp(world, values.data, (client) => client.withdrawSigningRequest(id));
        return stdout.write(`Request ${id.slice(0, 16)} is withdrawn.\n`);
      }
      const file = await withClient(world, values.data, (client) => client.signingRequest(id));
      return writeNew(values.out ?? '', `${JSON.stringify(file)}\n`, { mode: 0o644 });
    }
    if (values.json === true) return stdout.write(jsonLine({ requests }));
    if (requests.length === 0) return stdout.write('Nothing waits for signatures.\n');
    for (const one of requests) {
      const made = `${localTime(one.madeAt, world.timeZone)} by ${printable(one.madeBy)}`;
      stdout.write(`Request ${one.id.slice(0, 16)}, of ${made}\n${viewText(one)}\n`);
    }
  },
);
