/** The camera that looks for a code. @module */
import { type ReactNode, useRef, useState } from 'react';
import { Message } from '../../parts/message.tsx';
import { type ReadCode, readScanned } from './read-code.ts';
import { useScanner } from './use-scanner.ts';
import controls from '../parts/controls.module.css';
import styles from './scanner.module.css';

/** Calls `onCode` with the first pairing code that the camera sees. */
export function Scanner({ onCode }: { readonly onCode: (code: ReadCode) => void }): ReactNode {
  const video = useRef<HTMLVideoElement>(null);
  const [isOther, setIsOther] = useState(false);
  const state = useScanner(video, (text) => {
    const code = readScanned(text);
    setIsOther(code === undefined);
    if (code !== undefined) onCode(code);
  });
  if (state.is === 'failed') return <Message tone="warn" title={state.why} />;
  return (
    <div className={controls['stack']}>
      <div className={styles['place']}>
        {/* oxlint-disable-next-line jsx-a11y/media-has-caption -- it shows what the camera sees */}
        <video ref={video} className={styles['video']} playsInline muted aria-label="Camera" />
        <div className={styles['frame']} aria-hidden="true" />
      </div>
      <p role="status">
        {state.is === 'starting' && 'Starting the camera…'}
        {state.is === 'looking' && !isOther && 'Hold the code into the frame.'}
        {state.is === 'looking' && isOther && 'This is a QR code, but none of a device.'}
      </p>
    </div>
  );
}
