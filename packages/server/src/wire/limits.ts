/** The bounds of what the network may cost before anybody is known. @module */

/** Connections of one listener at a time. */
export const CONNECTIONS_MAX = 20_000;

/** Connections of one listener from one address at a time: a site behind one router fits. */
export const CONNECTIONS_PER_ADDRESS_MAX = 12_000;

/** How long a TLS handshake may take. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;

/** How long an HTTPS client may take for its headers, and for a whole request. */
export const HTTP_HEADERS_TIMEOUT_MS = 10_000;
export const HTTP_REQUEST_TIMEOUT_MS = 30_000;

/** Life of a TLS session ticket: a reconnect within it skips the full handshake. */
export const SESSION_TICKET_LIFE_S = 3_600;

/** Silence after which TCP itself asks whether the peer still lives. */
export const TCP_KEEP_ALIVE_MS = 60_000;
