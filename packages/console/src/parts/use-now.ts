/** The time now. @module */
import { useEffect, useState } from 'react';

/** The time now, renewed now and then so that what is relative stays true. */
export function useNowMs(renewedMs = 20_000): number {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), renewedMs);
    return () => clearInterval(timer);
  }, [renewedMs]);
  return nowMs;
}
