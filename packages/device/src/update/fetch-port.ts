/** How the updater asks the server for files. @module */

/** A GET on the enrollment listener. */
export interface FetchRequest {
  /** With the leading slash, as `/update/v1/image/timestamp.json`. */
  readonly path: string;
  /** First byte wanted: asks by Range for all from there on. Above 0. */
  readonly from?: number | undefined;
  /** With `from`: strong ETag that the rest must be of; else the whole comes. RFC 9110 §13.1.5 */
  readonly ifRange?: string | undefined;
  /** ETag that is known already: the answer may be 304. */
  readonly ifNoneMatch?: string | undefined;
  /** Ends the request and the body; both then reject with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/** An answer, whatever its status. Redirects are answers: nothing follows them. */
export interface FetchAnswer {
  readonly status: number;
  readonly etag?: string | undefined;
  /** `Content-Range` as it came. */
  readonly contentRange?: string | undefined;
  /** `Date` of the server, in milliseconds since 1970. */
  readonly dateMs?: number | undefined;
  /** Bytes as they come. Breaking off the loop ends the request. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** HTTPS to the enrollment listener with the identity of the device. */
export interface FetchPort {
  /** @throws DeviceError when no answer comes, also while the body is read */
  get(request: FetchRequest): Promise<FetchAnswer>;
}
