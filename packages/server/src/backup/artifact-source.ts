/** The artifacts of updates as a backup takes them: sealed as they are kept. @module */

/** An artifact that there is. */
export interface ArtifactFacts {
  /** Of the whole file, in hexadecimal. */
  readonly sha256: string;
  /** Id of its upload: another one of the same file has other objects. */
  readonly id: string;
  /** How many objects it is kept in. */
  readonly count: number;
}

/** Artifacts that stay until they are let go. */
export interface HeldArtifacts {
  /** Those that there are at this moment. */
  list(): readonly ArtifactFacts[];
  /**
   * An object of one, sealed as it is kept; undefined when it is missing or was changed.
   * @throws Fault when it cannot be read at all.
   */
  read(artifact: ArtifactFacts, index: number): Promise<Uint8Array | undefined>;
  /** Lets go: what was replaced meanwhile is removed. */
  release(): Promise<void>;
}

/** Where artifacts come from. */
export interface ArtifactSource {
  /** Name of the bucket that they are kept in; undefined for the data folder. */
  readonly place: string | undefined;
  /** Bytes of all. */
  totalBytes(): number;
  /** Keeps their objects from being removed while they are copied. */
  hold(): HeldArtifacts;
}
