/** Exports: readings, acts and devices as a file, streamed, and put on the log with their size. @module */
import { refuse } from '@holdfast/protocol';
import { type ExportFormat, type ExportKind, ExportQuerySchema } from '@holdfast/protocol/api';
import type { Context } from 'hono';
import type { Resource } from '../policy/index.ts';
import type { Device } from '../registry/index.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { RefusedRequest } from './errors.ts';
import { EXPORT_TYPES, encodeExport } from './export-formats.ts';
import {
  EXPORT_COLUMNS,
  type Row,
  type TimeSpan,
  actRow,
  deviceRow,
  itemsWithin,
  readingRow,
} from './export-rows.ts';
import { EXPORTS_MAX } from './limits.ts';
import { recordFirst } from './record-first.ts';
import type { Routes } from './routes.ts';

const request = { query: ExportQuerySchema };
const binary = { schema: { type: 'string', format: 'binary' } } as const;
const responses = {
  200: {
    description: 'The rows, the newest of each device first.',
    content: Object.fromEntries(Object.values(EXPORT_TYPES).map((type) => [type, binary])),
  },
};

export function addExportRoutes(routes: Routes, deps: ApiDeps): void {
  const { histories, registry } = deps;
  const exports = new Exports(deps);
  routes.add(
    { action: 'device:read', on: 'devices' },
    {
      method: 'get',
      path: '/v1/export/readings',
      summary: 'Exports the readings of one device, or of all that the caller may see.',
      request,
      responses,
    },
    (c) => {
      const query = c.req.valid('query');
      const access = c.get('access');
      const { device: id } = query;
      const devices =
        id === undefined
          ? access.filter(registry.all())
          : [access.require(registry.byId(id), id, 'device:read')];
      const span = spanOf(query);
      return exports.answer(c, { kind: 'readings', ...query }, () => readings(devices, span));
    },
  );

  async function* readings(devices: readonly Device[], span: TimeSpan): AsyncGenerator<Row> {
    for (const { id } of devices) {
      const history = histories.readings(id);
      for await (const item of itemsWithin(history, span, () => {})) yield readingRow(item);
    }
  }

  routes.add(
    { action: 'audit:read', on: 'server' },
    {
      method: 'get',
      path: '/v1/export/acts',
      summary: 'Exports who did what.',
      request,
      responses,
    },
    (c) => {
      const query = c.req.valid('query');
      refuseDevice(query.device);
      return exports.answer(c, { kind: 'acts', ...query }, async function* acts() {
        for await (const item of itemsWithin(histories.acts, spanOf(query), () => {})) {
          yield actRow(item);
        }
      });
    },
  );

  routes.add(
    { action: 'device:read', on: 'devices' },
    {
      method: 'get',
      path: '/v1/export/devices',
      summary: 'Exports the devices that the caller may see.',
      request,
      responses,
    },
    (c) => {
      const query = c.req.valid('query');
      refuseDevice(query.device);
      const { fromMs, toMs } = spanOf(query);
      const devices = c
        .get('access')
        .filter(registry.all())
        .filter(({ createdAtMs }) => createdAtMs >= fromMs && createdAtMs < toMs);
      return exports.answer(c, { kind: 'devices', ...query }, async function* rows() {
        for (const device of devices) yield deviceRow(device);
      });
    },
  );
}

interface Wish {
  readonly kind: ExportKind;
  readonly format: ExportFormat;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly device?: string | undefined;
}

/** The exports under way. */
class Exports {
  readonly #deps: ApiDeps;
  #count = 0;

  constructor(deps: ApiDeps) {
    this.#deps = deps;
  }

  /** Answers with a file. It is on the log before its first row leaves, and after its last. */
  async answer(
    c: Context<ApiEnv>,
    { kind, format, ...which }: Wish,
    rows: () => AsyncGenerator<Row>,
  ): Promise<Response> {
    if (this.#count >= EXPORTS_MAX) {
      throw new RefusedRequest(refuse('E_OPERATE_RATE', `${EXPORTS_MAX} exports are under way`));
    }
    const headers = {
      'Content-Type': EXPORT_TYPES[format],
      'Content-Disposition': `attachment; filename="${kind}.${format}"`,
    };
    // Nobody would ever read the body of an answer to HEAD.
    if (c.req.method === 'HEAD') return c.body(null, 200, headers);
    this.#count += 1;
    try {
      const { principal } = c.get('caller');
      const facts = { kind, format, ...which };
      await recordFirst(this.#deps, { action: 'export.begin', principal, facts });
    } catch (error) {
      this.#count -= 1;
      throw error;
    }
    const counted = { rows: 0 };
    const encoded = encodeExport(
      format,
      EXPORT_COLUMNS[kind],
      this.#permitted(c, kind, count(rows(), counted)),
    );
    const body = ReadableStream.from(this.#recorded(c, { kind, counted }, encoded));
    // An export of bytes: the type of the library's streams says no more than of any other.
    return c.body(body as ReadableStream<Uint8Array<ArrayBuffer>>, 200, headers);
  }

  /** Ends the export with the right to it, or with the caller's access. */
  async *#permitted(
    c: Context<ApiEnv>,
    kind: ExportKind,
    rows: AsyncIterable<Row>,
  ): AsyncGenerator<Row> {
    const { people, clock, registry } = this.#deps;
    const [caller, access] = [c.get('caller'), c.get('access')];
    const resourceOf = (row: Row): Resource | undefined => {
      if (kind === 'acts') return { kind: 'server' };
      const device = registry.byId(String(kind === 'devices' ? row['id'] : row['device']));
      return device && { kind: 'device', device };
    };
    let [last, isPermitted, at]: [unknown, boolean, number] = [undefined, false, 0];
    for await (const row of rows) {
      const what = kind === 'acts' ? kind : (row['device'] ?? row['id']);
      if (what !== last || at % CHECKED_EACH === 0) {
        if (people.liveUntilMs(caller) <= clock.nowMs()) throw new Error('the access has ended');
        const resource = resourceOf(row);
        isPermitted = resource !== undefined && access.stillPermits(resource);
        last = what;
      }
      at += 1;
      // What one may not see any more is not there.
      if (isPermitted) yield row;
    }
  }

  async *#recorded(
    c: Context<ApiEnv>,
    { kind, counted }: { kind: ExportKind; counted: { rows: number } },
    bytes: AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array> {
    let isComplete = false;
    try {
      yield* bytes;
      isComplete = true;
    } finally {
      this.#count -= 1;
      const { principal } = c.get('caller');
      const facts = { kind, rows: counted.rows, isComplete };
      const { recordAct, log } = this.#deps;
      recordAct({ action: 'export.end', principal, facts }).catch((error: unknown) => {
        const event = { 'event.action': 'export.end', 'event.outcome': 'failure' };
        log.error({ ...event, 'error.message': String(error) }, 'an act cannot be recorded');
      });
    }
  }
}

/** Rows after which the right is looked at again. */
const CHECKED_EACH = 1_000;

async function* count(rows: AsyncIterable<Row>, counted: { rows: number }): AsyncGenerator<Row> {
  for await (const row of rows) {
    counted.rows += 1;
    yield row;
  }
}

function spanOf({ from, to }: Pick<Wish, 'from' | 'to'>): TimeSpan {
  const fromMs = from === undefined ? 0 : Date.parse(from);
  const toMs = to === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(to);
  if (fromMs < toMs) return { fromMs, toMs };
  throw new RefusedRequest(refuse('E_OPERATE_INPUT', 'from: must be before to'));
}

function refuseDevice(device: string | undefined): void {
  if (device === undefined) return;
  throw new RefusedRequest(refuse('E_OPERATE_INPUT', 'device: is for readings alone'));
}
