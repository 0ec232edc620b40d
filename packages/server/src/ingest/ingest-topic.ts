/** The path of a request, and the topic that it stands for. @module */
import { type Refusal, checkTopicName, refuse } from '@holdfast/protocol';

/** What every path of ingest begins with. */
export const INGEST_PREFIX = '/v1/d/';

/**
 * Reads `/v1/d/<device>/telemetry[/<channel…>]` as `d/<device>/telemetry[/<channel…>]`.
 * Refuses `E_AUTHORIZE_PUBLISH` for the path of another device and `E_INGEST_INPUT` for what is no
 * path of ingest: the peer gets the same answer to both, so that it learns of no other device.
 */
export function topicOf(path: string, deviceId: string): string | Refusal {
  const levels = levelsOf(path);
  if (levels === undefined) return refuse('E_INGEST_INPUT', 'the path cannot be decoded');
  const [device, part, ...channel] = levels;
  if (device !== deviceId) {
    return refuse('E_AUTHORIZE_PUBLISH', 'the device in the path is not that of the certificate');
  }
  if (part !== 'telemetry') return refuse('E_INGEST_INPUT', 'only telemetry is taken over HTTPS');
  if (channel.some((level) => level === '' || level.includes('/'))) {
    return refuse('E_INGEST_INPUT', 'a level of the channel is empty, or holds a slash');
  }
  const topic = ['d', deviceId, part, ...channel].join('/');
  const problem = checkTopicName(topic);
  return problem === undefined ? topic : refuse('E_INGEST_INPUT', problem.detail);
}

function levelsOf(path: string): string[] | undefined {
  try {
    return path.slice(INGEST_PREFIX.length).split('/').map(decodeURIComponent);
  } catch {
    return undefined;
  }
}
