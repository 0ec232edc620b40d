/** The camera, as long as a page shows it. @module */
import { type RefObject, useEffect, useRef, useState } from 'react';
import { openFinder } from './scan.ts';

/** How the camera is. */
export type ScannerState =
  | { readonly is: 'starting' | 'looking' }
  | { readonly is: 'failed'; readonly why: string };

/** So often a picture is looked at, in milliseconds: a phone stays cool. */
const LOOK_EVERY_MS = 200;

/** Shows the camera in a video, and calls `onText` with each code that it sees. */
export function useScanner(
  video: RefObject<HTMLVideoElement | null>,
  onText: (text: string) => void,
): ScannerState {
  const [state, setState] = useState<ScannerState>({ is: 'starting' });
  const latest = useRef(onText);
  latest.current = onText;
  useEffect(() => {
    const ending = new AbortController();
    const { signal } = ending;
    const look = async (): Promise<void> => {
      const element = video.current;
      if (element === null) return;
      const stream = await openCamera(signal);
      element.srcObject = stream;
      await element.play();
      const find = await openFinder();
      setState({ is: 'looking' });
      while (!signal.aborted) {
        const text = await find(element);
        if (text !== undefined && !signal.aborted) latest.current(text);
        await pause(LOOK_EVERY_MS);
      }
    };
    look().catch((error: unknown) => {
      if (!signal.aborted) setState({ is: 'failed', why: reasonOf(error) });
    });
    return () => ending.abort();
  }, [video]);
  return state;
}

/** The camera on the back; it is let go when the signal says so, also when that was before. */
async function openCamera(signal: AbortSignal): Promise<MediaStream> {
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: false,
    video: { facingMode: 'environment', width: { ideal: 1_280 } },
  });
  const stop = (): void => stream.getTracks().forEach((track) => track.stop());
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop);
  return stream;
}

function reasonOf(error: unknown): string {
  const name = error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError')
    return 'The camera is not permitted for this page. Permit it in the settings of the browser, or type the code.';
  if (name === 'NotFoundError') return 'This device has no camera. Type the code.';
  if (name === 'NotReadableError')
    return 'Another app uses the camera. Close it, or type the code.';
  return 'The camera cannot be used. Type the code.';
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
