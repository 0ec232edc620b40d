/** Tells the server what firmware a simulated device runs, as an update agent does. @module */
import { request } from 'node:https';
import { isIP } from 'node:net';
import type { Bundle } from '@holdfast/device';
import type { UpdateReport } from '@holdfast/firmware';
import { BARE_ANSWER_MS_MAX } from './limits.ts';

/** Sends one report: `POST /update/v1/report`. Rejects when the server does not take it. */
export function reportFirmware(bundle: Bundle, report: UpdateReport): Promise<void> {
  const { enrollment, anchorPem, certificatePem, tlsKey } = bundle;
  if (enrollment === undefined) return Promise.resolve();
  const { host, port } = enrollment;
  return new Promise((resolve, reject) => {
    const call = request({
      method: 'POST',
      path: '/update/v1/report',
      host,
      port,
      // Server name indication has no form for an address. RFC 6066 §3
      ...(isIP(host) === 0 && { servername: host }),
      ca: anchorPem,
      cert: certificatePem,
      ...tlsKey(),
      minVersion: 'TLSv1.3',
      rejectUnauthorized: true,
      agent: false,
      timeout: BARE_ANSWER_MS_MAX,
      headers: { 'content-type': 'application/json' },
    });
    call.on('timeout', () => call.destroy(new Error('no answer in time')));
    call.on('error', reject);
    call.on('response', (answer) => {
      answer.resume();
      const { statusCode = 0 } = answer;
      if (statusCode >= 200 && statusCode < 300) resolve();
      else reject(new Error(`the server answered the report of the firmware with ${statusCode}`));
    });
    call.end(JSON.stringify(report));
  });
}
