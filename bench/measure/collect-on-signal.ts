/**
 * Loaded into a server by `--import`, with `--expose-gc`: on SIGUSR2 it collects all garbage of the
 * main thread and prints what is left. What grows from one such line to the next is kept by
 * somebody; what V8 leaves lying around until it needs the room is not in it.
 * @module
 */
import { isMainThread } from 'node:worker_threads';

/** One line, as JSON. */
export interface Live {
  readonly live: {
    readonly heapBytes: number;
    /** Buffers and other memory that objects of the heap own. */
    readonly outsideBytes: number;
    /** Sockets, timers and the like. */
    readonly handles: number;
  };
}

if (isMainThread) {
  process.on('SIGUSR2', () => {
    globalThis.gc?.();
    const { heapUsed: heapBytes, external: outsideBytes } = process.memoryUsage();
    const handles = process.getActiveResourcesInfo().length;
    const line: Live = { live: { heapBytes, outsideBytes, handles } };
    console.log(JSON.stringify(line));
  });
}
