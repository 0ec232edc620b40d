/** Wrong claims in great number, over kept-alive connections from many addresses. @module */
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { type Lab, basic } from './lab.ts';

export const FLOOD_ADDRESSES = 200;
export const CLAIMS_PER_ADDRESS = 50;
/** What all their addresses begin with. */
export const FLOOD_PREFIX = '127.78.';

/** Sends them; gives how many were answered how, by status and body. */
export async function flood({ place }: Lab): Promise<Map<string, number>> {
  const answers = new Map<string, number>();
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: place.anchorPem });
  const post = (localAddress: string, authorization: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const headers = { authorization, 'content-type': 'application/pkcs10' };
      const where = { host: 'localhost', family: 4, port: place.ports.enroll, localAddress };
      const path = '/.well-known/est/simpleenroll';
      const options = { agent, method: 'POST', path, headers, ...where };
      const asked = request(options, (answer) => {
        text(answer).then((body) => resolve(`${answer.statusCode} ${body.trim()}`), reject);
      });
      asked.once('error', reject).end('x');
    });
  const sendFrom = async (at: number): Promise<void> => {
    for (let n = 0; n < CLAIMS_PER_ADDRESS; n += 1) {
      // Names of devices that are there, and of others.
      const name = n % 2 === 0 ? 'pump-1' : `pump-${at}-${n}`;
      const secret = `${at}x${n}`.padStart(43, 'A');
      const answer = await post(`${FLOOD_PREFIX}1.${at + 1}`, basic(name, secret));
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    }
  };
  try {
    await Promise.all(Array.from({ length: FLOOD_ADDRESSES }, (_, at) => sendFrom(at)));
  } finally {
    agent.destroy();
  }
  return answers;
}
