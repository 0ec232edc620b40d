/** Follows the readings of a device, and has what is shown read again when one comes. @module */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { readDevice, readingStreamPath } from '../owner-api.ts';

/** What is shown is read again at most so often, in milliseconds, however fast readings come. */
const READ_AGAIN_MS = 1_000;
/** How long to wait before a stream that has ended is opened again, in milliseconds. */
const OPEN_AGAIN_MS = 3_000;

/** @returns whether the stream is open: whether a reading that comes is shown at once. */
export function useLiveReadings(id: string): boolean {
  const queries = useQueryClient();
  const [isOpen, setIsOpen] = useState(false);
  useEffect(() => {
    const ending = new AbortController();
    const { signal } = ending;
    let reading: ReturnType<typeof setTimeout> | undefined;
    const readAgain = (): void => {
      reading ??= setTimeout(() => {
        reading = undefined;
        for (const what of ['series', 'points', 'messages', 'commands', 'device']) {
          void queries.invalidateQueries({ queryKey: [what, id] });
        }
      }, READ_AGAIN_MS);
    };
    const follow = async (): Promise<void> => {
      while (!signal.aborted) {
        await streamOnce(id, { signal, onOpen: () => setIsOpen(true), onReading: readAgain });
        setIsOpen(false);
        // The right to it may have ended: whatever is shown of the device is looked at again.
        void queries.invalidateQueries({ queryKey: ['device', id] });
        await pause(OPEN_AGAIN_MS, signal);
        // A session that has ended begins anew by this; without one no stream opens.
        await readDevice(id).catch(() => undefined);
      }
    };
    void follow();
    return () => {
      ending.abort();
      clearTimeout(reading);
    };
  }, [id, queries]);
  return isOpen;
}

/** One stream, from its beginning to its end. */
function streamOnce(
  id: string,
  hear: { signal: AbortSignal; onOpen: () => void; onReading: () => void },
): Promise<void> {
  const { signal, onOpen, onReading } = hear;
  return new Promise((resolve) => {
    const source = new EventSource(readingStreamPath(id));
    const end = (): void => {
      source.close();
      resolve();
    };
    source.addEventListener('open', onOpen);
    source.addEventListener('reading', onReading);
    // The browser would come back by itself, but not after an answer that is no stream.
    source.addEventListener('error', end);
    signal.addEventListener('abort', end);
  });
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
