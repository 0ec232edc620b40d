/**
 * A device program for the test of its store: publishes numbered readings until it is told to
 * stop or killed, and prints each number when the reading is on the disk.
 * Arguments: the bundle, the first number, the last one; without numbers it only delivers.
 */
import { connect } from '@holdfast/device';

const [, , folder = '', first = '1', last = '0'] = process.argv;
const device = connect({ bundle: folder, random: () => 0.01 });
for (let n = Number(first); n <= Number(last); n += 1) {
  const madeAt = Date.now();
  await device.publish({ n, madeAt }, { until: 'stored' });
  process.stdout.write(`${n}\n`);
}
await device.delivered();
await device.close();
