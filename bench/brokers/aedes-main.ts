/** aedes over mutual TLS, in a process of its own. Started by aedes.ts. @module */
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { Aedes } from 'aedes';

const [clientAnchors = '', certificate = '', key = ''] = process.argv.slice(2);
const broker = await Aedes.createBroker();
const server = createServer(
  {
    ca: readFileSync(clientAnchors),
    cert: readFileSync(certificate),
    key: readFileSync(key),
    minVersion: 'TLSv1.3',
    requestCert: true,
    rejectUnauthorized: true,
    noDelay: true,
  },
  broker.handle,
);
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  console.log(`{"port": ${port}}`);
});
process.on('SIGTERM', () => process.exit(0));
