/** The stream of events, for the parts of a page. @module */
import { type ReactNode, createContext, useContext, useEffect, useRef, useState } from 'react';
import { type LiveEventName, type LiveState, LiveStream } from './live-stream.ts';

const LiveContext = createContext<LiveStream | undefined>(undefined);

/** Puts one stream around the pages. */
export function LiveProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const [stream] = useState(() => new LiveStream());
  useEffect(() => () => stream.close(), [stream]);
  return <LiveContext value={stream}>{children}</LiveContext>;
}

/** Calls `listener` with each event of that name, the newest `listener` there is. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- who listens knows the type.
export function useLive<T>(event: LiveEventName, listener: (data: T) => void): void {
  const stream = useStream();
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => stream.on(event, (data) => latest.current(data as T)), [stream, event]);
}

/** How the stream is now. */
export function useLiveState(): LiveState {
  const stream = useStream();
  const [state, setState] = useState(stream.state);
  useEffect(() => stream.watch(() => setState(stream.state)), [stream]);
  return state;
}

function useStream(): LiveStream {
  const stream = useContext(LiveContext);
  if (stream === undefined) throw new Error('there is no LiveProvider around this');
  return stream;
}
