/** The bounds of bills of materials and of known vulnerabilities, with units and reasons. @module */

/** Largest bill of materials in bytes: a Linux image with two thousand packages takes two MB. */
export const SBOM_BYTES_MAX = 16 * 1_024 * 1_024;

/** Most components of one bill, nested ones counted. */
export const SBOM_COMPONENTS_MAX = 10_000;

/** Deepest nesting of components in components. */
export const SBOM_DEPTH_MAX = 16;

/** Largest record of one vulnerability in bytes: some name thousands of versions. */
export const OSV_RECORD_BYTES_MAX = 4 * 1_024 * 1_024;

/** Most packages that one record names. */
export const OSV_AFFECTED_MAX = 1_000;

/** Most versions, and events of ranges, that are kept of one package in one record. */
export const OSV_VERSIONS_MAX = 5_000;

/** Most records in one zip: the largest ecosystems have some hundred thousand. */
export const ZIP_ENTRIES_MAX = 1_000_000;

/** Longest version in characters; longer ones are no version. */
export const VERSION_CHARACTERS_MAX = 128;
