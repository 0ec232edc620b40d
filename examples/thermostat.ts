/**
 * A thermostat: reports its temperature every ten seconds, and takes a set point as a command.
 *
 *     node examples/thermostat.ts ./thermostat-1 claim.txt
 *
 * The file with the claim is needed once, to make the bundle `./thermostat-1`; later starts find it there.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { connect, enroll } from '@holdfast/device';

const folder = process.argv[2] ?? './thermostat-1';
if (!existsSync(folder)) {
  const claim = readFileSync(process.argv[3] ?? 'claim.txt', 'utf8').trim();
  await enroll({ claim, out: folder, log: (line) => console.log(line) });
}

let temp = 19;
let setpoint = 21;
const device = connect({ bundle: folder });

device.onStatus((status) => {
  console.log(status.state === 'offline' ? `offline: ${status.error.message}` : status.state);
});
device.onRefused(({ topic, code, detail }) => console.log(`refused ${topic}: ${code} ${detail}`));
device.onCommand(async ({ name, body }) => {
  if (name !== 'setpoint' || typeof body['celsius'] !== 'number') return;
  setpoint = body['celsius'];
  console.log(`set point ${setpoint} °C`);
  await device.publish({ setpoint }, { topic: 'state' });
});

const timer = setInterval(() => {
  temp = Math.round((temp + (setpoint - temp) * 0.1) * 100) / 100;
  device.publish({ temp, setpoint }).then(
    () => console.log(`${temp} °C, durable on the server`),
    (error: unknown) => console.log(String(error)),
  );
}, 10_000);

process.once('SIGINT', () => {
  clearInterval(timer);
  void device.close();
});
