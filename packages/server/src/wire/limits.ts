/** The bounds of what the network may cost before anybody is known. @module */

/**
 * Connections of all listeners together, where the process may open as many descriptors: at about
 * 60 kB for an idle one they need 1.2 GB. Where it may open fewer, that limit less the reserve.
 */
export const CONNECTIONS_MAX = 20_000;

/** Descriptors kept for files, listeners and what the server itself connects to. */
export const DESCRIPTORS_RESERVED = 128;

/**
 * Connections from one network (an IPv4 address, an IPv6 /64) at a time: a site with 10,000 devices
 * behind one router fits, and leaves something to everybody else.
 */
export const CONNECTIONS_PER_NETWORK_MAX = 12_000;

/**
 * TLS handshakes in progress; more wait for their turn. Each one holds some 60 kB that nobody has
 * proven to deserve, and all that are answered at once must not stop the others for long.
 */
export const HANDSHAKES_MAX = 256;

/**
 * Handshakes in progress of one network: a quarter of all, so that nobody alone can hold all of
 * them. The peers of a site may answer all at once, which takes 0.5 ms each in one go; over a link
 * of 0.1 s there and back this is still 640 handshakes a second.
 */
export const HANDSHAKES_PER_NETWORK_MAX = 64;

/** How long a peer may be silent before its first byte, and how long its TLS handshake may take. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;

/** How long a handshake may take while all of them are taken and somebody waits. */
export const HANDSHAKE_PRESSED_MS = 3_000;

/** How long a peer waits for its turn: as long as patient clients do, such as MQTT.js. */
export const HANDSHAKE_WAIT_MS = 30_000;

/**
 * How long handshakes are started in one turn of the event loop, at about 0.6 ms each: what
 * connected peers may notice of a storm. Arrivals are accepted for as long in between.
 */
export const HANDSHAKE_BURST_MS = 2;

/** The share of a longer turn in which handshakes are started: the connected come first. */
export const HANDSHAKE_SHARE = 0.25;

/** The longest burst, however long the turn before it took. */
export const HANDSHAKE_BURST_MS_MAX = 20;

/** What a peer may send before its handshake starts: one TLS record, that is one ClientHello. */
export const FIRST_BYTES_MAX = 16_389;

/**
 * A PROXY header, with what a proxy adds to it: what fits into one TCP segment over IPv6, as the
 * specification wants it. HAProxy sends 28 or 52 bytes, and some hundred with all its additions.
 */
export const PROXY_HEADER_BYTES_MAX = 1_440;

/** Connections that the operating system keeps for us until we accept them; Linux caps it. */
export const ACCEPT_BACKLOG = 4_096;

/**
 * Failed handshakes that a network may owe at one listener before it is held off, beyond those of
 * its peers that are connected: a tenth of a second of our time.
 */
export const HANDSHAKE_FAILURES_MAX = 100;

/** Time that makes up for a failed handshake: a device that retries every second is no flood. */
export const HANDSHAKE_FORGIVE_MS = 500;

/** The first hold-off; each further one is twice as long, until a peer is let in. */
export const HOLD_OFF_MS = 1_000;

/** The longest hold-off: who has repaired a device does not want to wait for longer. */
export const HOLD_OFF_MS_MAX = 300_000;

/** Quiet time after which the failures of a network are forgotten. */
export const HOLD_OFF_FORGET_MS = 600_000;

/** Networks whose failures are remembered, at some 200 bytes each. */
export const HOLD_OFF_NETWORKS_MAX = 10_000;

/** The share of the memory of the machine, or of its container, that the process may use. */
export const MEMORY_BUDGET_SHARE = 0.75;

/** The share of V8's own heap limit, at which the process would end, that may be used. */
export const HEAP_BUDGET_SHARE = 0.85;

/** How often memory is looked at, when somebody connects. */
export const MEMORY_SAMPLE_MS = 1_000;

/** How long an HTTPS client may take for its headers. */
export const HTTP_HEADERS_TIMEOUT_MS = 10_000;

/** How long an HTTPS client may take for a whole request. */
export const HTTP_REQUEST_TIMEOUT_MS = 30_000;

/** Bytes of one WebSocket message: some of the largest packets, for clients that batch them. */
export const WEB_SOCKET_MESSAGE_BYTES_MAX = 262_144;

/** How long a peer may take to answer the end of a WebSocket. */
export const WEB_SOCKET_CLOSE_MS = 2_000;

/** Life of a TLS session ticket: a reconnect within it skips the full handshake. */
export const SESSION_TICKET_LIFE_S = 3_600;

/** Silence after which TCP itself asks whether the peer still lives. */
export const TCP_KEEP_ALIVE_MS = 60_000;
