/** Which reason codes each packet may carry, as data. @see MQTT 5 §2.4, table 2-6 @module */
import type { AckType } from './packets.ts';
import { REASON } from './reason-codes.ts';

/** CONNACK. [MQTT-3.2.2-8] */
export const CONNACK_REASONS: ReadonlySet<number> = new Set([
  REASON.success,
  REASON.unspecifiedError,
  REASON.malformedPacket,
  REASON.protocolError,
  REASON.implementationSpecificError,
  REASON.unsupportedProtocolVersion,
  REASON.clientIdNotValid,
  REASON.badUserNameOrPassword,
  REASON.notAuthorized,
  REASON.serverUnavailable,
  REASON.serverBusy,
  REASON.banned,
  REASON.badAuthenticationMethod,
  REASON.topicNameInvalid,
  REASON.packetTooLarge,
  REASON.quotaExceeded,
  REASON.payloadFormatInvalid,
  REASON.retainNotSupported,
  REASON.qosNotSupported,
  REASON.useAnotherServer,
  REASON.serverMoved,
  REASON.connectionRateExceeded,
]);

const RECEIVED_REASONS: ReadonlySet<number> = new Set([
  REASON.success,
  REASON.noMatchingSubscribers,
  REASON.unspecifiedError,
  REASON.implementationSpecificError,
  REASON.notAuthorized,
  REASON.topicNameInvalid,
  REASON.packetIdInUse,
  REASON.quotaExceeded,
  REASON.payloadFormatInvalid,
]);

const RELEASED_REASONS: ReadonlySet<number> = new Set([REASON.success, REASON.packetIdNotFound]);

/** PUBACK and its kin. [MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.6.2-1] [MQTT-3.7.2-1] */
export const ACK_REASONS: Readonly<Record<AckType, ReadonlySet<number>>> = {
  puback: RECEIVED_REASONS,
  pubrec: RECEIVED_REASONS,
  pubrel: RELEASED_REASONS,
  pubcomp: RELEASED_REASONS,
};

/** SUBACK. MQTT 5 [MQTT-3.9.3-2] */
export const SUBACK_REASONS: ReadonlySet<number> = new Set([
  REASON.success,
  REASON.grantedQos1,
  REASON.grantedQos2,
  REASON.unspecifiedError,
  REASON.implementationSpecificError,
  REASON.notAuthorized,
  REASON.topicFilterInvalid,
  REASON.packetIdInUse,
  REASON.quotaExceeded,
  REASON.sharedSubscriptionsNotSupported,
  REASON.subscriptionIdsNotSupported,
  REASON.wildcardSubscriptionsNotSupported,
]);

/** UNSUBACK. [MQTT-3.11.3-2] */
export const UNSUBACK_REASONS: ReadonlySet<number> = new Set([
  REASON.success,
  REASON.noSubscriptionExisted,
  REASON.unspecifiedError,
  REASON.implementationSpecificError,
  REASON.notAuthorized,
  REASON.topicFilterInvalid,
  REASON.packetIdInUse,
]);

/** DISCONNECT of a server. [MQTT-3.14.2-1] */
export const SERVER_DISCONNECT_REASONS: ReadonlySet<number> = new Set([
  REASON.success,
  REASON.unspecifiedError,
  REASON.malformedPacket,
  REASON.protocolError,
  REASON.implementationSpecificError,
  REASON.notAuthorized,
  REASON.serverBusy,
  REASON.serverShuttingDown,
  REASON.badAuthenticationMethod,
  REASON.keepAliveTimeout,
  REASON.sessionTakenOver,
  REASON.topicFilterInvalid,
  REASON.topicNameInvalid,
  REASON.receiveMaximumExceeded,
  REASON.topicAliasInvalid,
  REASON.packetTooLarge,
  REASON.messageRateTooHigh,
  REASON.quotaExceeded,
  REASON.administrativeAction,
  REASON.payloadFormatInvalid,
  REASON.retainNotSupported,
  REASON.qosNotSupported,
  REASON.useAnotherServer,
  REASON.serverMoved,
  REASON.sharedSubscriptionsNotSupported,
  REASON.connectionRateExceeded,
  REASON.maximumConnectTime,
  REASON.subscriptionIdsNotSupported,
  REASON.wildcardSubscriptionsNotSupported,
]);

/**
 * DISCONNECT of a client. It has no use for those that only a server has a reason for, but to
 * answer a goodbye with a protocol error helps nobody.
 */
export const CLIENT_DISCONNECT_REASONS: ReadonlySet<number> = new Set([
  ...SERVER_DISCONNECT_REASONS,
  REASON.disconnectWithWill,
]);

/** AUTH of a server. [MQTT-3.15.2-1] */
export const SERVER_AUTH_REASONS: ReadonlySet<number> = new Set([
  REASON.success,
  REASON.continueAuthentication,
]);

/** AUTH of a client. [MQTT-3.15.2-1] */
export const CLIENT_AUTH_REASONS: ReadonlySet<number> = new Set([
  REASON.continueAuthentication,
  REASON.reauthenticate,
]);
