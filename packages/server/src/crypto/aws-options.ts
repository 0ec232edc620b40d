/** How clients of AWS, and of those who speak its API, are set up here. @module */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { Fault } from '../kernel/index.ts';
import { readPrivateFile } from './private-file.ts';

/** Where an AWS service is, and how to sign in there. Holds no secret itself. */
export const AwsPlaceSchema = z.object({
  region: z.string().regex(/^[a-z0-9-]{1,64}$/u),
  /** Only for a service of one's own: an `https:` URL. */
  endpoint: z.url({ protocol: /^https$/u }).optional(),
  /** PEM file with the authority of that service, when no public one vouches for it. */
  caFile: z.string().min(1).optional(),
  /** JSON file (mode 0600) with `accessKeyId` and `secretAccessKey`. Without it the SDK looks where
   * it always does: the role of the machine, the shared profile. */
  credentialsFile: z.string().min(1).optional(),
});
export type AwsPlace = Readonly<z.infer<typeof AwsPlaceSchema>>;

const CredentialsSchema = z.object({
  accessKeyId: z.string().min(1),
  secretAccessKey: z.string().min(1),
  sessionToken: z.string().min(1).optional(),
});

/**
 * Options for a client of the AWS SDK: TLS only, bounded time, few attempts.
 * @throws Fault `E_CRYPTO_AWS_FILE` when a file is missing, damaged or open to others.
 */
export async function awsClientOptions({ region, endpoint, caFile, credentialsFile }: AwsPlace) {
  // It takes 60 ms to load, which each thread of the server would pay for.
  const { Agent } = await import('node:https');
  return {
    region,
    ...(endpoint !== undefined && { endpoint }),
    ...(credentialsFile !== undefined && {
      // Read each time: credentials that were rotated count without a restart.
      credentials: () => Promise.resolve(readCredentials(credentialsFile)),
    }),
    maxAttempts: 3,
    requestHandler: {
      connectionTimeout: 5_000,
      requestTimeout: 30_000,
      // Without it, the SDK only warns.
      throwOnRequestTimeout: true,
      // The other one ends with the head of the answer: a body that stops coming would be waited for.
      socketTimeout: 30_000,
      // An agent, not its options: where it sends `Expect`, the SDK would take one without them.
      httpsAgent: new Agent({
        minVersion: 'TLSv1.2',
        keepAlive: true,
        maxSockets: 16,
        ...(caFile !== undefined && { ca: readOrFail(caFile) }),
      }),
    },
  };
}

function readCredentials(path: string) {
  const text = readPrivateFile(path, 'E_CRYPTO_AWS_FILE');
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    // The cause would quote the secret.
    throw fileFault(path, 'is no JSON');
  }
  const parsed = CredentialsSchema.safeParse(content);
  if (parsed.success) {
    const { sessionToken, ...key } = parsed.data;
    // The SDK keeps what does not expire, whatever the file says later.
    const read = { ...key, expiration: new Date(0) };
    return sessionToken === undefined ? read : { ...read, sessionToken };
  }
  throw fileFault(path, 'has no accessKeyId and secretAccessKey');
}

function readOrFail(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw fileFault(path, 'cannot be read', cause);
  }
}

/** Never says what the file holds. */
function fileFault(path: string, problem: string, cause?: unknown): Fault {
  return new Fault({
    code: 'E_CRYPTO_AWS_FILE',
    what: `${path} ${problem}.`,
    fix: 'Write the JSON that your provider gave for the access key into it, with mode 0600.',
    cause,
  });
}
