/** How long a password is. @module */

/** The same as `PASSWORD_LENGTH` of the API, whose module would bring zod along; a test compares. */
export const PASSWORD_CHARACTERS = { min: 12, max: 128 } as const;
