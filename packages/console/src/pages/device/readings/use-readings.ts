/** The newest readings of a device, live, and the older ones page by page. @module */
import type { ReadingList, ReadingView } from '@holdfast/protocol/api';
import { useCallback, useRef, useState } from 'react';
import { ask } from '../../../api/ask.ts';
import { type Problem, problemOf } from '../../../api/problem.ts';
import type { LiveState } from '../../../live/live-stream.ts';
import { pathOf } from '../use-device.ts';
import { mergeReadings } from './merge-readings.ts';
import { useReadingStream } from './use-reading-stream.ts';

const PAGE = 50;
/** Of what comes live, a page keeps so many; whoever asks for older ones gets them besides. */
const LIVE_KEPT = 100;

/** What the table shows. */
export interface ReadingsState {
  /** The newest first; undefined before the first answer. */
  readonly readings: readonly ReadingView[] | undefined;
  readonly problem: Problem | undefined;
  readonly stream: LiveState;
  readonly hasOlder: boolean;
  readonly loadOlder: () => void;
  readonly isPaused: boolean;
  /** How many came since it was paused. */
  readonly waiting: number;
  readonly setPaused: (isPaused: boolean) => void;
}

/** Follows the readings. @param onNew - hears when some came. */
export function useReadings(id: string, onNew: () => void): ReadingsState {
  const [all, setAll] = useState<readonly ReadingView[] | undefined>();
  const [problem, setProblem] = useState<Problem | undefined>();
  const [hasOlder, setHasOlder] = useState(false);
  const [frozen, setFrozen] = useState<readonly ReadingView[] | undefined>();
  const isAsking = useRef(false);
  const kept = useRef(LIVE_KEPT);

  const read = useCallback(
    async (before: number | undefined): Promise<void> => {
      if (isAsking.current) return;
      isAsking.current = true;
      try {
        const query = before === undefined ? '' : `&before=${before}`;
        const path = `${pathOf(id)}/readings?limit=${PAGE}${query}`;
        const { readings } = await ask<ReadingList>(path);
        setProblem(undefined);
        if (before !== undefined) kept.current += readings.length;
        setAll((known = []) => mergeReadings(known, readings, kept.current));
        setHasOlder((had) => (before === undefined && had) || readings.length === PAGE);
      } catch (error) {
        setProblem(problemOf(error));
        setAll((known) => known);
      } finally {
        isAsking.current = false;
      }
    },
    [id],
  );

  const stream = useReadingStream(id, {
    onOpen: () => void read(undefined),
    onReadings: (more) => {
      setAll((known = []) => mergeReadings(known, more, kept.current));
      onNew();
    },
  });
  const shown = frozen ?? all;
  const newest = frozen?.[0]?.index ?? Infinity;
  return {
    readings: shown,
    problem,
    stream,
    hasOlder,
    loadOlder: () => {
      const oldest = all?.at(-1);
      if (oldest !== undefined) void read(oldest.index);
    },
    isPaused: frozen !== undefined,
    waiting: frozen === undefined ? 0 : (all ?? []).filter(({ index }) => index > newest).length,
    setPaused: (isPaused) => setFrozen(isPaused ? all : undefined),
  };
}
