/** The bounds of FIT images and device trees, each with its unit and its reason. @module */

/** Largest kernel, device tree or initial file system of an image, in bytes: what U-Boot loads. */
export const FIT_PART_BYTES_MAX = 256 * 1_024 * 1_024;

/** Largest device tree that is read, in bytes: QEMU pads its own to 1 MiB, boards need 100 kB. */
export const TREE_BYTES_MAX = 4 * 1_024 * 1_024;

/** Longest name of a property, in bytes: thousands may share a name, and each is read on its own. */
export const TREE_NAME_BYTES_MAX = 255;

/** Deepest node of a tree: U-Boot's own bound (`FDT_MAX_DEPTH`). */
export const TREE_DEPTH_MAX = 32;
