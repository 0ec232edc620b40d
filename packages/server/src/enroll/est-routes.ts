/** The routes of Enrollment over Secure Transport. @see RFC 7030 @module */
import { REFUSAL_CODES, Refusal, type RefusalCode, refuse } from '@holdfast/protocol';
import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { RecordAct } from '../audit/index.ts';
import type { ReportRefusal } from '../kernel/index.ts';
import { certificatePin, certsOnly } from '../pki/index.ts';
import { peerAddress } from '../wire/index.ts';
import { type BasicCredential, readBasicCredential } from './basic-credential.ts';
import { BODY_BYTES_MAX, CLAIMED_ID_CHARACTERS_MAX, WRONG_WINDOW_MS } from './limits.ts';
import { type RedeemDeps, type Redeemed, redeem } from './redeem.ts';
import { WrongClaims } from './wrong-claims.ts';

/** What the EST routes need. */
export interface EstDeps extends RedeemDeps {
  readonly recordAct: RecordAct;
  readonly report: ReportRefusal;
}

type EstContext = Context<{ Bindings: HttpBindings }>;

/**
 * `cacerts` and `simpleenroll`. Whatever is wrong with a credential, the answer is the same 401;
 * why it was refused stands in the report.
 */
export function estRoutes(deps: EstDeps): Hono<{ Bindings: HttpBindings }> {
  const { root, devicesCa } = deps.authority;
  const anchors = certsOnly([root.raw, devicesCa.raw]);
  const wrongClaims = new WrongClaims(deps);
  const app = new Hono<{ Bindings: HttpBindings }>().basePath('/.well-known/est');
  // RFC 7030 §4.1
  app.get('/cacerts', (c) => certificatesAnswer(c, anchors));
  app.post(
    '/simpleenroll',
    bodyLimit({
      maxSize: BODY_BYTES_MAX,
      onError: (c) => c.text(`The body is larger than ${BODY_BYTES_MAX} bytes.\n`, 413),
    }),
    (c) => enroll(c, { ...deps, wrongClaims }),
  );
  return app;
}

/** RFC 7030 §4.2 */
async function enroll(
  c: EstContext,
  deps: EstDeps & { wrongClaims: WrongClaims },
): Promise<Response> {
  const address = peerAddress(c.env.incoming.socket);
  const credential = readBasicCredential(c.req.header('authorization'));
  if (credential === undefined) {
    const refusal = refuse('E_ENROLL_CLAIM', 'the request carries no claim');
    deps.report({ refusal, address, topic: c.req.path });
    return refusalAnswer(c, refusal);
  }
  const csr = await bodyOf(c);
  if (csr === undefined) return c.text('The body is incomplete.\n', 400);
  const redeemed = redeem({ deviceId: credential.name, secret: credential.password, csr }, deps);
  if (redeemed instanceof Refusal) {
    return await refuseEnrollment(c, redeemed, { ...deps, credential, address });
  }
  await recordEnrollment(redeemed, { ...deps, address });
  // The answer holds the new certificate alone; its issuer is among the cacerts. RFC 7030 §4.2.3
  return certificatesAnswer(c, certsOnly([redeemed.certificateDer]));
}

/** Undefined when the peer leaves before the end of its body. */
async function bodyOf(c: EstContext): Promise<Uint8Array | undefined> {
  try {
    return new Uint8Array(await c.req.arrayBuffer());
  } catch {
    return undefined;
  }
}

async function refuseEnrollment(
  c: EstContext,
  found: Refusal,
  {
    wrongClaims,
    report,
    credential,
    address,
  }: {
    wrongClaims: WrongClaims;
    report: ReportRefusal;
    credential: BasicCredential;
    address: string;
  },
): Promise<Response> {
  const isWrong = found.code === 'E_ENROLL_CLAIM';
  const tooMany = isWrong ? wrongClaims.count({ address, deviceId: credential.name }) : undefined;
  const refusal = tooMany ?? found;
  const claimed = credential.name.slice(0, CLAIMED_ID_CHARACTERS_MAX);
  report({ refusal, address, claimed, topic: c.req.path });
  if (isWrong) await wrongClaims.wait();
  return refusalAnswer(c, refusal);
}

/** A repetition is an act too: of the first one nobody knows whether its answer arrived. */
async function recordEnrollment(
  { device, certificateDer, isRepeated, ignored }: Redeemed,
  { recordAct, address }: { recordAct: RecordAct; address: string },
): Promise<void> {
  await recordAct({
    action: 'device.enroll',
    principal: device.id,
    target: device.id,
    facts: { certificate: certificatePin(certificateDer), isRepeated, ignored, address },
  });
}

function certificatesAnswer(c: EstContext, message: Uint8Array): Response {
  const lines = Buffer.from(message).toString('base64').replaceAll(/.{64}/gu, '$&\n');
  return c.body(`${lines.trimEnd()}\n`, 200, {
    'content-type': 'application/pkcs7-mime; smime-type=certs-only',
    'content-transfer-encoding': 'base64',
    'cache-control': 'no-store',
  });
}

/** The only place that decides what a refused peer sees. */
function refusalAnswer(c: EstContext, { code, detail }: Refusal): Response {
  if (IS_TOLD.has(code)) {
    return c.text(`${code}: ${detail}. ${REFUSAL_CODES[code].fix}\n`, 400);
  }
  if (code === 'E_ENROLL_RATE') {
    const seconds = String(WRONG_WINDOW_MS / 1_000);
    return c.text('Too many attempts. Wait a minute.\n', 429, { 'retry-after': seconds });
  }
  const challenge = { 'www-authenticate': 'Basic realm="holdfast-est"' };
  return c.text('The claim is not accepted.\n', 401, challenge);
}

/** Reasons that are told, because only the holder of a good claim gets to them. */
const IS_TOLD: ReadonlySet<RefusalCode> = new Set<RefusalCode>(['E_ENROLL_CSR', 'E_ENROLL_KEY']);
