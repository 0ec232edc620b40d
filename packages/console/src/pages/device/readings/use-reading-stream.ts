/** The readings of a device as they are taken in. @module */
import type { ReadingView } from '@holdfast/protocol/api';
import { useEffect, useRef, useState } from 'react';
import type { LiveState } from '../../../live/live-stream.ts';
import { pathOf } from '../use-device.ts';

/** However fast a device sends, the page is drawn no more often than this. */
const GATHERED_MS = 400;

/** Who listens. */
export interface ReadingListener {
  /** The newest last. */
  readonly onReadings: (readings: readonly ReadingView[]) => void;
  /** The stream begins, or begins again: what came before was missed. */
  readonly onOpen?: () => void;
}

/**
 * Follows the readings while the page is looked at: a browser has few connections to one server,
 * and a page that nobody sees needs none of them.
 */
export function useReadingStream(id: string, listener: ReadingListener): LiveState {
  const [state, setState] = useState<LiveState>('connecting');
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => {
    let source: EventSource | undefined;
    let gathered: ReadingView[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tell = (): void => {
      timer = undefined;
      latest.current.onReadings(gathered);
      gathered = [];
    };
    const open = (): void => {
      source = new EventSource(`${pathOf(id)}/readings/stream`);
      source.addEventListener('open', () => {
        setState('live');
        latest.current.onOpen?.();
      });
      source.addEventListener('error', () => setState('lost'));
      source.addEventListener('reading', ({ data }: MessageEvent<string>) => {
        gathered.push(JSON.parse(data) as ReadingView);
        timer ??= setTimeout(tell, GATHERED_MS);
      });
    };
    const close = (): void => {
      source?.close();
      source = undefined;
    };
    const follow = (): void => {
      if (document.hidden) close();
      else if (source === undefined) open();
    };
    follow();
    document.addEventListener('visibilitychange', follow);
    return () => {
      document.removeEventListener('visibilitychange', follow);
      clearTimeout(timer);
      close();
    };
  }, [id]);
  return state;
}
