/** All brokers, in the order of the table. @module */
import { aedes } from './aedes.ts';
import type { Target } from './broker.ts';
import { holdfast } from './holdfast.ts';
import { mosquitto } from './mosquitto.ts';
import { nats } from './nats.ts';
import { rabbitmq } from './rabbitmq.ts';

export type { RunningBroker, StopReport, Target } from './broker.ts';

/** Everything that can be measured. */
export const TARGETS: readonly Target[] = [...holdfast, mosquitto, aedes, nats, rabbitmq];

/** Ratios are to this one. */
export const BASELINE = mosquitto.name;
