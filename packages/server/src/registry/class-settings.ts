/** What an operator has set for classes of devices: in memory, written through. @module */
import { z } from 'zod';
import type { Collection, SealedStore } from '../persistence/index.ts';
import {
  DEVICE_CLASSES,
  DEVICE_CLASS_NAMES,
  type DeviceClassName,
  ON_CLONE,
  type OnClone,
} from './device-classes.ts';

const RetentionSchema = z.object({
  /** Messages that the server took in longer ago expire. */
  ageDays: z.number().optional(),
  /** Beyond so many bytes of messages of one device, the oldest expire. */
  bytesPerDeviceMax: z.number().optional(),
  /** How long what was rolled up of them stays; as long as they do, when it is absent. */
  rollupDays: z.number().optional(),
});
/** How long what devices of a class send is kept; what is absent sets no bound. */
export type Retention = Readonly<z.infer<typeof RetentionSchema>>;

const ClassRecordSchema = z.object({
  class: z.enum(DEVICE_CLASS_NAMES),
  requiresApiKey: z.boolean(),
  onClone: z.enum(ON_CLONE).optional(),
  retention: RetentionSchema.optional(),
  lateHours: z.number().optional(),
  renewalGraceMs: z.int().optional(),
});
type ClassRecord = Readonly<z.infer<typeof ClassRecordSchema>>;

/** The rules of a class that an operator can change. */
export interface ClassRules {
  readonly requiresApiKey: boolean;
  readonly onClone: OnClone;
  /** Absent: everything is kept. */
  readonly retention?: Retention | undefined;
  /** How many hours old a message may be that was held back; 0: none that is late is accepted. */
  readonly lateHours: number;
  /** How long after its end a certificate can still be renewed, into quarantine; milliseconds. */
  readonly renewalGraceMs: number;
}

/** Hears of each change, after it is on the disk. */
export type ClassListener = (className: DeviceClassName) => void;

/** The settings of all classes; what was never set is as the class comes. */
export class ClassSettings {
  readonly #records: Collection<ClassRecord>;
  readonly #byClass = new Map<DeviceClassName, ClassRules>();
  readonly #listeners = new Set<ClassListener>();

  constructor(store: SealedStore) {
    this.#records = store.collection('class-settings', ClassRecordSchema);
    for (const { class: name, ...set } of this.#records.all()) {
      const asItComes = DEVICE_CLASSES[name];
      const { onClone = asItComes.onClone, lateHours = lateHoursOf(name) } = set;
      const { renewalGraceMs = asItComes.renewalGraceMs } = set;
      this.#byClass.set(name, { ...set, onClone, lateHours, renewalGraceMs });
    }
  }

  of(className: DeviceClassName): ClassRules {
    const set = this.#byClass.get(className);
    if (set !== undefined) return set;
    const { requiresApiKey, onClone, renewalGraceMs } = DEVICE_CLASSES[className];
    return { requiresApiKey, onClone, lateHours: lateHoursOf(className), renewalGraceMs };
  }

  /** Sets rules of a class; others stay. Listeners run before this returns. */
  set(className: DeviceClassName, changed: Partial<ClassRules>): void {
    const rules = { ...this.of(className), ...changed };
    this.#records.write(className, { class: className, ...rules });
    this.#byClass.set(className, rules);
    for (const listener of this.#listeners) listener(className);
  }

  /** Calls `listener` after each change, until the returned function is called. */
  onChange(listener: ClassListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

function lateHoursOf(className: DeviceClassName): number {
  return DEVICE_CLASSES[className].lateMaxMs / HOUR_MS;
}

const HOUR_MS = 3_600_000;
