/** The commands and settings by which a device says its first word to this server. @module */
import type { ServerInfo } from '@holdfast/protocol/api';

/** What the texts are made of. */
export interface Place {
  /** Id of the device, which is also its client id. */
  readonly id: string;
  /** Host name by which devices reach the server. */
  readonly host: string;
  readonly brokerPort: string;
  /** `host:port` of enrollment. */
  readonly enroll: string;
  readonly pins: ServerInfo['pins'];
}

/** The place of a device at a server. */
export function placeOf(id: string, { broker, enroll, pins }: ServerInfo): Place {
  // Browsers read the parts of a URL only from schemes that they know.
  const { hostname: host, port: brokerPort } = new URL(broker.replace(/^mqtts:/u, 'https:'));
  return { id, host, brokerPort, enroll: new URL(enroll).host, pins };
}

/** Whether only the machine of the server reaches it by this name. */
export function isThisMachineOnly({ host }: Pick<Place, 'host'>): boolean {
  return /^(?:localhost$|127\.|\[::1\]$)/u.test(host);
}

/** Enrollment by our command, which asks for the claim. */
export function enrollCommand({ id }: Pick<Place, 'id'>): string {
  return `npx holdfast device enroll --out ./${id}`;
}

/** All commands of a guide, to be saved as one script: the guide is the only place where they stand. */
export function scriptOf(guide: string): string {
  return `set -e -o pipefail\n${blocksOf(guide, 'sh').join('\n')}`;
}

/** The first program of a guide in a language. */
export function programOf(guide: string, language: string): string {
  const [program] = blocksOf(guide, language);
  if (program === undefined) throw new Error(`the guide has no program in ${language}`);
  return program;
}

function blocksOf(guide: string, language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gmsu');
  return [...guide.matchAll(fence)].map(([, text = '']) => text);
}

/** One signed reading, by `mosquitto_pub`. */
export function mosquittoCommands({ id, host, brokerPort }: Place): string {
  return `reading=$(echo '{"temp": 23.5}' | python3 sign.py ./${id})

publish() {
  mosquitto_pub --cafile ${id}/ca.crt --cert ${id}/client.crt \\
    --key ${id}/client.key -h ${host} -p ${brokerPort} -i ${id} -q 1 \\
    -t d/${id}/telemetry -m "$1"
}
publish "$reading"
`;
}

/** The same reading, altered on the way: it has to be refused. */
export function tamperCommand(): string {
  return `publish "$(echo "$reading" | sed 's/23.5/99.9/')"\n`;
}

/** The first program of the guide to the SDK, for this device. */
export function sdkProgram({ id }: Pick<Place, 'id'>, guide: string): string {
  return programOf(guide, 'ts').replaceAll('./thermostat-1', `./${id}`);
}

/** What to set in `main.c` of the ESP32 example. */
export function esp32Defines({ id, host, brokerPort }: Place): string {
  return `#define DEVICE "${id}"
#define BROKER "mqtts://${host}:${brokerPort}"
`;
}

/** What `nvs_partition_gen.py` makes the partition of one board of. */
export function esp32Nvs({ id, pins }: Place): string {
  return `key,type,encoding,value
holdfast,namespace,,
client.key,file,string,${id}/client.key
payload.key,file,string,${id}/payload.key
pin,data,string,${pins.spki}
pin-next,data,string,${pins.backupSpki}
`;
}
