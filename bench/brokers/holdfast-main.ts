/** A Holdfast on a copy of the seeded data folder. Started by holdfast.ts. @module */
import { start } from '@holdfast/server';
import { HmacSha256 } from '../../packages/server/src/verify/hmac-sha256.ts';

const { dataDir, isVerifying } = JSON.parse(process.argv[2] ?? '') as {
  dataDir: string;
  isVerifying: boolean;
};
// The server has no switch for this, and must not have one: it is cut out from here.
if (!isVerifying) HmacSha256.prototype.isTagOf = () => true;

const ports = { broker: 0, api: 0, enroll: 0 };
const server = await start({ dataDir, hosts: [], ports });
console.log(`{"port": ${new URL(server.info.broker).port}}`);
process.on('SIGTERM', () => {
  void server.stop().then(() => process.exit(0));
});
