/** The bounds of hawkBit's device interface, each with its unit and its reason. @module */

/** Largest feedback, in bytes: SWUpdate sends 48 lines of its log at once. */
export const FEEDBACK_BYTES_MAX = 65_536;

/** Lines of a feedback that are looked at. */
export const DETAILS_MAX = 100;

/** Attributes that a device says of itself. */
export const ATTRIBUTES_MAX = 64;

/** After how many seconds a device that was asked what it is comes back for its first update. */
export const SOON_S = 5;

/** Releases whose checksums are remembered: they cost one reading of the artifact each. */
export const CHECKSUMS_MAX = 256;
