/** aedes, the broker of the Node world. @module */
import { join } from 'node:path';
import { profileFlags } from '../measure/profile.ts';
import type { RunningBroker, StartContext, Target } from './broker.ts';
import { writeIdentity } from './identity-files.ts';
import { printedPort, startProcess } from './run-process.ts';

/** aedes with nothing on but mutual TLS. */
export const aedes: Target = {
  name: 'aedes',
  what: 'mutual TLS only',
  form: 1,
  subscriberLevel: 4,
  missing: () => {
    try {
      import.meta.resolve('aedes');
      return undefined;
    } catch {
      return 'not installed';
    }
  },
  start,
};

async function start({ folder, fleet, profiles }: StartContext): Promise<RunningBroker> {
  const { clientAnchors, certificate, key } = writeIdentity(folder, fleet);
  const main = join(import.meta.dirname, 'aedes-main.ts');
  const args = [...profileFlags(profiles), main, clientAnchors, certificate, key];
  const broker = startProcess(process.execPath, args, { folder });
  const port = await printedPort(broker);
  const stop = async (): Promise<object> => {
    await broker.stop();
    return {};
  };
  return { pid: broker.pid, port, stop };
}
