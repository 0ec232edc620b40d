/** What the overview and the live stream look at besides the rest of the API. @module */
import type { LastVerification } from '../../audit/index.ts';
import type { Figures, Traffic } from '../../telemetry/index.ts';

/** When the certificate of the public name ends. */
export interface PublicNameEnd {
  /** 0 while there is none yet. */
  readonly endsMs: number;
  /** It should have been renewed by now. */
  readonly isLate: boolean;
}

/** Looks at the running server. */
export interface ServerWatch {
  readonly figures: Pick<Figures, 'lines' | 'rates' | 'refusedInHour' | 'refusedLately'>;
  /** What was counted since the start. */
  readonly traffic: () => Traffic;
  /** Calls its argument when a device has connected or left; gives how to stop that. */
  readonly onPresence: (listener: (deviceId: string) => void) => () => void;
  readonly lastVerification: Pick<LastVerification, 'latest' | 'note' | 'sinceMs'>;
  /** Durable entries of the log. */
  readonly logSize: () => number;
  /** When the certificates end that clients are shown; the public name may have none. */
  readonly certificateEnds: () => {
    readonly serverMs: number;
    readonly publicName?: PublicNameEnd | undefined;
  };
}
