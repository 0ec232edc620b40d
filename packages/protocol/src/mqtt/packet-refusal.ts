import type { RefusalCode } from '../refusal-codes.ts';
/** What the codec says of bytes that are no valid packet. @module */
import { Refusal } from '../refusal.ts';
import { REASON, type ReasonCode } from './reason-codes.ts';

/** A {@link Refusal} that knows the reason code with which MQTT 5 tells the peer. */
export class PacketRefusal extends Refusal {
  readonly reasonCode: ReasonCode;
  /** Level that a broken CONNECT asked for, once that much of it was read. */
  readonly protocolLevel: number | undefined;
  /**
   * Whether the connection ends without a word, as the standard allows: for a peer that does not
   * know the form of a CONNECT or of a ping, and for broken credentials. MQTT 5 §4.13.1
   */
  readonly isSilent: boolean;

  constructor(
    code: RefusalCode,
    detail: string,
    options: {
      readonly reasonCode: ReasonCode;
      readonly protocolLevel?: number | undefined;
      readonly isSilent?: boolean;
    },
  ) {
    super(code, detail);
    this.reasonCode = options.reasonCode;
    this.protocolLevel = options.protocolLevel;
    this.isSilent = options.isSilent ?? false;
  }
}

/** Makes a refusal for a packet that breaks the rules. */
export type RefusePacket = (detail: string) => PacketRefusal;

/** Bytes that no sender of the standard would write: reason 0x81. */
export function malformed(detail: string): PacketRefusal {
  return new PacketRefusal('E_WIRE_PACKET', detail, { reasonCode: REASON.malformedPacket });
}

/** A packet that can be read but must not be sent: reason 0x82. */
export function protocolError(detail: string): PacketRefusal {
  return new PacketRefusal('E_WIRE_PACKET', detail, { reasonCode: REASON.protocolError });
}

/** A packet that keeps the rules of the standard but not a limit of ours. */
export function beyondLimit(detail: string, reasonCode: ReasonCode): PacketRefusal {
  return new PacketRefusal('E_WIRE_SIZE', detail, { reasonCode });
}
