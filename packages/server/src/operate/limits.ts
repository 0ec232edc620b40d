/** The bounds of the HTTPS API. @module */

/** Largest request body in bytes: a command, with room. */
export const BODY_BYTES_MAX = 65_536;

/** Wrong passwords and one-time codes from one network in a minute. */
export const FAILED_ATTEMPTS_PER_MINUTE_MAX = 20;

/** Networks whose failures are remembered. */
export const WATCHED_NETWORKS_MAX = 10_000;

/** Characters of a path that a refusal is recorded with: a stranger chooses them. */
export const REPORTED_PATH_CHARACTERS_MAX = 256;

/** Characters of what was found wrong with a request: it may quote what a stranger sent. */
export const DETAIL_CHARACTERS_MAX = 512;

/** Silence after which a stream sends a sign of life. */
export const STREAM_HEARTBEAT_MS = 15_000;

/** Bytes that wait for one reader of a stream; a slower one is disconnected and may come back. */
export const STREAM_WAITING_BYTES_MAX = 1_048_576;

/** Streams that are open at a time. */
export const STREAMS_MAX = 200;

/** Of these, streams of one person: pages and programs, and nobody takes the room of the others. */
export const STREAMS_OF_PERSON_MAX = 32;

/**
 * Devices that one person may have looked at in a minute, all requests together: lists of a fleet
 * of 100,000 ten times a second, which is some 5 % of a processor.
 */
export const DEVICES_LOOKED_AT_PER_MINUTE_MAX = 60_000_000;

/** To plan an act on a device, or ask the policy about it, costs as much as to list so many. */
export const PLANNED_DEVICE_LOOKS = 30;

/** To look for commands among thousands of messages of a device costs as much as so many. */
export const COMMAND_LIST_LOOKS = 500_000;

/** The first one who follows the live stream has the states of all devices noted. */
export const NOTED_DEVICE_LOOKS = 4;

/**
 * Requests of one person in a minute, with all credentials together: 100 a second, far more than
 * a console or a script in a hurry makes.
 */
export const PRINCIPAL_REQUESTS_PER_MINUTE_MAX = 6_000;

/** Principals whose requests are counted. */
export const WATCHED_PRINCIPALS_MAX = 10_000;

/** Requests without a valid credential from one network in a minute: health checks, sign-ins. */
export const STRANGER_REQUESTS_PER_MINUTE_MAX = 1_200;

/** How long a second factor that was shown again counts for dangerous acts. */
export const STEP_UP_LIFE_MS = 300_000;

/** How long a request waits for a second person, and an approved one for being made again. */
export const APPROVAL_LIFE_MS = 3_600_000;

/** Requests that wait for a second person at a time. */
export const APPROVALS_MAX = 200;

/** Of these, requests of one person: nobody can take the room of the others. */
export const APPROVALS_OF_PERSON_MAX = 20;

/** Devices of one request that waits: whoever approves is judged for each, some µs each time. */
export const APPROVAL_DEVICES_MAX = 1_000;

/** Devices that a refused bulk act names as those in its way. */
export const FORBIDDEN_DEVICES_TOLD_MAX = 5;

/** Wrong passwords and codes with one name, or in one known browser, before it is held off. */
export const SIGN_IN_WRONG_MAX = 10;

/** The longest that a name is held off, in milliseconds: its owner may be waiting, too. */
export const SIGN_IN_HOLD_MS_MAX = 900_000;

/** Names and browsers of which wrong attempts are remembered. */
export const SIGN_IN_NAMES_MAX = 10_000;

/** How long a browser may take at the OpenID provider, in milliseconds. */
export const OIDC_SIGN_IN_LIFE_MS = 600_000;

/** How long the OpenID provider may take for an answer, in seconds. */
export const OIDC_ANSWER_S_MAX = 10;

/** Largest answer of the OpenID provider, in bytes: its keys, or its description. */
export const OIDC_ANSWER_BYTES_MAX = 1_048_576;

/**
 * Devices whose state is changed in one go: a batch takes a few milliseconds, in which no message
 * goes its way.
 */
export const DEVICE_ACTS_BATCH = 100;

/** Devices that a refused import names as being in its way; a dry run names them all. */
export const IMPORT_CONFLICTS_TOLD_MAX = 5;

/** What a device asks for itself is counted in windows of this many milliseconds: an hour. */
export const DEVICE_SELF_WINDOW_MS = 3_600_000;

/** Pairing codes and resets that a device may ask for in a window: a code each ten minutes, twice. */
export const DEVICE_SELF_REQUESTS_MAX = 12;

/** Devices that are counted for this at a time: about 1 MB. */
export const DEVICES_WATCHED_MAX = 10_000;

/**
 * Proofs that are made at a time: each one reads in a thread of its own, and a second one keeps a
 * person from waiting for a program.
 */
export const PROOFS_MAX = 2;

/** Findings of a verification that its act names; the answer has all of them. */
export const FINDINGS_ON_RECORD_MAX = 10;

/** Exports under way at a time: each one reads the log as fast as its reader takes it. */
export const EXPORTS_MAX = 4;

/** Items that an export reads in one go. */
export const EXPORT_PAGE = 1_000;

/** Rows of a group of a Parquet file: so many are in memory at a time. */
export const EXPORT_ROW_GROUP = 5_000;

/** Characters of an export that leave together. */
export const EXPORT_FLUSH_BYTES = 65_536;

/** Largest body that holds metadata to be signed, in bytes: 2,000 releases of a line, in base64. */
export const SIGNING_BODY_BYTES_MAX = 8_388_608;

/** Different reasons of failed updates that a rollout lists; all others are one. */
export const REASONS_LISTED_MAX = 10;

/**
 * Challenges and proofs of owners' pages from one network in a minute: each page needs two an hour,
 * and thousands may share the address of a mobile carrier. A proof costs two verifications.
 */
export const APP_PROOFS_PER_MINUTE_MAX = 240;

/** Streams of owners' apps that are open at a time; those of people are counted apart. */
export const APP_STREAMS_MAX = 200;

/** Of these, streams of one owner: no household takes the room of the others. */
export const APP_STREAMS_OF_OWNER_MAX = 8;

/** Devices of which an app is told the last values in one answer: more than a household has. */
export const APP_LATEST_DEVICES_MAX = 64;

/** Last values of each of these devices: as many as one looks at on a list. */
export const APP_LATEST_VALUES_MAX = 12;

/**
 * Devices for which it is planned in one go what would become of them: some milliseconds, in which
 * no message goes its way.
 */
export const PLANNED_OF_STEP = 2_000;

/** Connections of a device that ended, and that an answer lists. */
export const ENDED_CONNECTIONS_SHOWN = 20;

/** Values of one kind by which devices can be found: groups, tags and versions, the most frequent. */
export const FACET_VALUES_MAX = 200;

/** Lists of commands for one owner in a minute: each one looks through thousands of messages. */
export const APP_COMMAND_LISTS_PER_MINUTE_MAX = 60;

/** Devices that a census of the fleet looks at in one go: about a millisecond. */
export const CENSUS_DEVICES_OF_STEP = 1_000;

/** How long a census of all devices is shown to everybody, in milliseconds: it costs some 50 ms. */
export const CENSUS_LIFE_MS = 5_000;

/**
 * The same for a caller who may see only some devices: the policy is asked about each one, which
 * takes half a second with 100,000 of them.
 */
export const CENSUS_PART_LIFE_MS = 30_000;

/** Censuses that are kept: of so many callers who each see different devices. */
export const CENSUSES_KEPT = 50;

/** Below so many times the reserve, the disk counts as nearly full. */
export const DISK_LOW_RESERVES = 16;

/** A certificate of the server that ends so soon was not renewed when it should have been. */
export const CERTIFICATE_ALARM_MS = 604_800_000;

/** The log should be verified each week: a change of it shows only then. */
export const VERIFICATION_LATE_MS = 604_800_000;

/** A backup by schedule is late after so many of its intervals. */
export const BACKUP_LATE_FACTOR = 2;

/** Acts on a device that are read for what became of its updates: the page of its history. */
export const UPDATE_ACTS_READ_MAX = 200;

/** Refusals of the last so many milliseconds are held against those of the day before. */
export const REFUSALS_SURGE_MS = 600_000;

/** So many times as many as usual are a surge. */
export const REFUSALS_SURGE_FACTOR = 10;

/** And at least so many, or a quiet fleet would alarm at the first ones. */
export const REFUSALS_SURGE_MIN = 100;

/** A device that was refused so often meanwhile is told by name: fewer are an accident, or a resend. */
export const DEVICE_REFUSALS_MIN = 5;

/** Refusals that are read in one go. */
export const REFUSALS_PAGE = 1_000;

/** How long a summary of refusals is shown to everybody, in milliseconds: it reads up to 50,000. */
export const REFUSAL_SUMMARY_LIFE_MS = 5_000;

/**
 * How many times as long as it took a look for owners is shown to all of them, if that is longer:
 * their pages ask all day, and may take a hundredth of the thread.
 */
export const OWNED_REFUSALS_LIFE_FACTOR = 100;

/** Searches of refusals that wait for each other: one at a time reads the log. */
export const REFUSAL_SEARCHES_MAX = 16;

/** Of these, searches of one person: nobody takes the turns of the others. */
export const REFUSAL_SEARCHES_OF_PERSON_MAX = 4;

/**
 * How long the proof of an owner's page counts for what lasts (a certificate, another app, a device
 * given away), in milliseconds: the page makes it just before, without asking anybody.
 */
export const APP_PROOF_FRESH_MS = 60_000;

/** What waits of a file of the console for one reader, in bytes: a TLS record. */
export const CONSOLE_PIECE_BYTES = 16_384;

/** Callers of whom it is kept what they might do: people, and tokens with a scope. */
export const POSSIBLE_ACTIONS_KEPT = 500;

/**
 * How often the overview looks how much is stored that nothing needs, in milliseconds: to look asks
 * what each device runs, and it changes by the week.
 */
export const UNNEEDED_LOOK_MS = 300_000;
