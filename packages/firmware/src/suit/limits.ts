/** The bounds of SUIT envelopes, each with its unit and its reason. @module */

/** Largest envelope in bytes: one component takes 400, and images are not put into envelopes. */
export const SUIT_BYTES_MAX = 65_536;

/** Most CBOR items in one encoding: a manifest has some dozen, a hostile one as many as bytes. */
export const CBOR_ITEMS_MAX = 4_096;

/** Deepest nesting of CBOR items: a manifest needs five. */
export const CBOR_DEPTH_MAX = 16;

/** Deepest nesting of command sequences: try each, and a sequence in it, are two. */
export const SUIT_SEQUENCE_DEPTH_MAX = 4;

/** Most signatures on one envelope. */
export const SUIT_SIGNATURES_MAX = 8;

/** Most components of one manifest. */
export const SUIT_COMPONENTS_MAX = 32;
