/** The bounds of the policy. @module */

/** Characters of a policy's text: some four hundred rules; a request of the API has room for it. */
export const POLICY_CHARACTERS_MAX = 32_768;

/** Rules of a policy: a decision looks at each of them. */
export const POLICY_RULES_MAX = 200;

/** Versions that are kept; when there are more, the oldest is forgotten (the log knows it still). */
export const POLICY_VERSIONS_MAX = 1_000;

/**
 * Decisions that are remembered until something changes. Devices and people that no rule names
 * share theirs, so that a fleet of any size needs a few hundred; a policy that names each device
 * needs more, and then the oldest are decided again.
 */
export const DECISIONS_REMEMBERED_MAX = 20_000;

/**
 * Decisions of the API and of connections that a new policy can be tried on, of each outcome: the
 * last ones that differ.
 */
export const RECENT_DECISIONS_MAX = 2_000;

/** Decisions in a row before others get their turn: one that is not remembered takes 0.2 ms. */
export const DECISIONS_PER_TURN = 20;

/** Expected decisions that one test may hold. */
export const EXPECTATIONS_MAX = 500;

/**
 * Kinds of devices that a policy can tell apart, as a product of the devices, classes, states,
 * groups and owners in it: a wildcard is decided for each of them, at up to 0.2 ms.
 */
export const POSSIBLE_DEVICES_MAX = 5_000;

/** Problems of a policy that are told at once. */
export const PROBLEMS_MAX = 20;
