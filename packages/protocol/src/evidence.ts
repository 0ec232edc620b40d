/** Checks a bundle of evidence, on a machine that has never seen the server. @module */
import type { Evidence, ProvenLeaf } from './api-evidence.ts';
import { type Entry, SALT_BYTES, decodeEntry } from './entry.ts';
import { parseDeviceUrn } from './ids.ts';
import {
  type Checkpoint,
  type CheckpointVerifier,
  type NoteVerifier,
  Problem,
  type Sha256,
  leafHash,
  verifyCheckpoint,
  verifyCosignature,
  verifyInclusion,
} from './merkle/index.ts';
import { Refusal } from './refusal.ts';

/** A certificate, as far as evidence needs it. */
export interface EvidenceCertificate {
  /** The URI in its subject alternative name; undefined when it has none, or several. */
  readonly uri: string | undefined;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Whether another one names it as its subject and signed it, as an authority. */
  readonly isIssuedBy: (issuer: Uint8Array) => boolean;
}

/** What the machine does that checks: hashes, signatures and certificates. */
export interface EvidenceTools {
  readonly sha256: Sha256;
  /** Verifies with the key of the log that is trusted. */
  readonly log: CheckpointVerifier;
  /** Witnesses whose cosignature is wanted. */
  readonly witnesses: readonly NoteVerifier[];
  /** Reads a certificate in DER; undefined when it is none. */
  readonly readCertificate: (der: Uint8Array) => EvidenceCertificate | undefined;
}

/** The reading of which the evidence is. */
export interface ProvenReading {
  readonly index: number;
  readonly device: string;
  readonly atMs: number;
  readonly topic: string;
  /** Key id that signed the payload, `epoch.generation`. */
  readonly kid: string;
  /** The exact payload. */
  readonly payload: Uint8Array;
}

/** An act of which the log has a proof. */
export interface ProvenAct {
  readonly index: number;
  readonly atMs: number;
  readonly action: string;
  readonly principal: string;
  readonly reason?: string | undefined;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** What a bundle proves, and what it does not. */
export interface EvidenceVerdict {
  /** What is wrong; the evidence is worth nothing when there is anything. */
  readonly problems: readonly string[];
  readonly checkpoint: Checkpoint | undefined;
  readonly reading: ProvenReading | undefined;
  /** Oldest first. */
  readonly acts: readonly ProvenAct[];
  /** SHA-256 (lower-case hex) of the certificate that the device used then. */
  readonly certificate: string | undefined;
  readonly witnesses: readonly { readonly name: string; readonly timeS: number }[];
}

/** Acts after which a device is kept out, and those that end that. */
const STOPPING_ACTS: ReadonlySet<string> = new Set([
  'device.quarantine',
  'device.suspend',
  'device.revoke',
  'device.retire',
]);
const RESUMING_ACTS: ReadonlySet<string> = new Set([
  'device.release',
  'device.resume',
  'device.enroll',
]);
/** Acts from which on a device shows the certificate that they name. */
const CERTIFICATE_ACTS: ReadonlySet<string> = new Set(['device.enroll', 'device.use-certificate']);

/** Checks everything in a bundle. */
export function checkEvidence(evidence: Evidence, tools: EvidenceTools): EvidenceVerdict {
  const problems: string[] = [];
  const checkpoint = checkedCheckpoint(evidence, tools, problems);
  const entryOf = (leaf: ProvenLeaf, what: string): Required<Entry> | undefined =>
    checkedEntry(leaf, { what, checkpoint, sha256: tools.sha256, problems });
  const reading = readingOf(evidence, entryOf, problems);
  const acts = evidence.acts.flatMap((leaf, at) => {
    const act = actOf(leaf, `act ${at + 1}`, { entryOf, reading, problems });
    return act === undefined ? [] : [act];
  });
  if (acts.some(({ index }, at) => at > 0 && index <= (acts[at - 1]?.index ?? -1))) {
    problems.push('the acts are not in the order of the log');
  }
  checkState(acts, problems);
  return {
    problems,
    checkpoint,
    reading,
    acts,
    certificate: certificateOf(evidence, { acts, reading, tools, problems }),
    witnesses: checkpoint === undefined ? [] : witnessesOf(evidence, tools, problems),
  };
}

function checkedCheckpoint(
  { checkpoint: note }: Evidence,
  { sha256, log }: EvidenceTools,
  problems: string[],
): Checkpoint | undefined {
  const checkpoint = verifyCheckpoint(sha256, note, log);
  if (!(checkpoint instanceof Problem)) return checkpoint;
  problems.push(`the checkpoint is not valid: ${checkpoint.problem}`);
  return undefined;
}

/** The entry of a leaf that the checkpoint covers. */
function checkedEntry(
  { index, leaf, proof }: ProvenLeaf,
  {
    what,
    checkpoint,
    sha256,
    problems,
  }: {
    what: string;
    checkpoint: Checkpoint | undefined;
    sha256: Sha256;
    problems: string[];
  },
): Required<Entry> | undefined {
  if (checkpoint === undefined) return undefined;
  const salted = bytesOf(leaf);
  const hashes = proof.map(bytesOf);
  if (salted === undefined || hashes.some((hash) => hash === undefined)) {
    problems.push(`the ${what} is no base64`);
    return undefined;
  }
  const claim = {
    index,
    size: checkpoint.size,
    leafHash: leafHash(sha256, salted),
    proof: hashes.filter((hash) => hash !== undefined),
    root: checkpoint.root,
  };
  if (!verifyInclusion(sha256, claim)) {
    problems.push(`the ${what} is not in the log of the checkpoint`);
    return undefined;
  }
  const entry = decodeEntry(salted.subarray(SALT_BYTES));
  if (entry === undefined) problems.push(`the ${what} is no entry`);
  return entry;
}

type EntryOf = (leaf: ProvenLeaf, what: string) => Required<Entry> | undefined;

function readingOf(
  { device, reading }: Evidence,
  entryOf: EntryOf,
  problems: string[],
): ProvenReading | undefined {
  const entry = entryOf(reading, 'reading');
  if (entry === undefined) return undefined;
  const { kind, principal, atMs, topic, kid, body } = entry;
  if (kind !== 'message' || principal !== device) {
    problems.push('the entry is no message of the device that the bundle names');
    return undefined;
  }
  return { index: reading.index, device, atMs, topic, kid, payload: body };
}

function actOf(
  leaf: ProvenLeaf,
  what: string,
  {
    entryOf,
    reading,
    problems,
  }: { entryOf: EntryOf; reading: ProvenReading | undefined; problems: string[] },
): ProvenAct | undefined {
  const entry = entryOf(leaf, what);
  if (entry === undefined || reading === undefined) return undefined;
  const content = entry.kind === 'act' ? objectOf(entry.body) : undefined;
  if (content?.['target'] !== reading.device) {
    problems.push(`the ${what} is no act about the device`);
    return undefined;
  }
  if (leaf.index >= reading.index) problems.push(`the ${what} came after the reading`);
  const { reason, facts } = content;
  return {
    index: leaf.index,
    atMs: entry.atMs,
    action: entry.topic,
    principal: entry.principal,
    reason: typeof reason === 'string' ? reason : undefined,
    facts: isObject(facts) ? facts : {},
  };
}

/** A device that was kept out can have sent nothing that was accepted. */
function checkState(acts: readonly ProvenAct[], problems: string[]): void {
  const last = acts.findLast(
    ({ action }) => STOPPING_ACTS.has(action) || RESUMING_ACTS.has(action),
  );
  if (last === undefined || !STOPPING_ACTS.has(last.action)) return;
  problems.push(`the device was kept out by then: entry ${last.index} is ${last.action}`);
}

function certificateOf(
  { certificates }: Evidence,
  {
    acts,
    reading,
    tools,
    problems,
  }: {
    acts: readonly ProvenAct[];
    reading: ProvenReading | undefined;
    tools: EvidenceTools;
    problems: string[];
  },
): string | undefined {
  if (certificates.length === 0 || reading === undefined) return undefined;
  const ders = certificates.map(bytesOf).filter((der) => der !== undefined);
  const chain = ders.map((der) => tools.readCertificate(der));
  const [der] = ders;
  const [certificate] = chain;
  if (der === undefined || certificate === undefined || ders.length < certificates.length) {
    problems.push('a certificate cannot be read');
    return undefined;
  }
  const isChain = chain.every((one, at) => one?.isIssuedBy(ders[at + 1] ?? ders[at] ?? der));
  if (!isChain) problems.push('the certificates are no chain that ends in a root');
  const name = parseDeviceUrn(certificate.uri ?? '');
  if (name instanceof Refusal || name.device !== reading.device) {
    problems.push('the certificate is not of the device');
  }
  const { notBeforeMs, notAfterMs } = certificate;
  if (reading.atMs < notBeforeMs || reading.atMs > notAfterMs) {
    problems.push('the certificate was not valid at the time of the reading');
  }
  const fingerprint = new Uint8Array(tools.sha256(der)).toHex();
  const act = acts.findLast(({ action }) => CERTIFICATE_ACTS.has(action));
  if (act?.facts['certificate'] !== fingerprint) {
    problems.push('no act on the log says that the device used this certificate then');
  }
  return fingerprint;
}

function witnessesOf(
  { checkpoint: note }: Evidence,
  { sha256, witnesses }: EvidenceTools,
  problems: string[],
): { name: string; timeS: number }[] {
  return witnesses.flatMap((witness) => {
    const cosignature = verifyCosignature(sha256, note, witness);
    if (!(cosignature instanceof Problem)) return [{ name: witness.name, ...cosignature }];
    problems.push(`witness ${witness.name}: ${cosignature.problem}`);
    return [];
  });
}

/** Strict base64, or nothing. */
function bytesOf(text: string): Uint8Array | undefined {
  try {
    const bytes = Uint8Array.fromBase64(text, { lastChunkHandling: 'strict' });
    return bytes.toBase64() === text ? bytes : undefined;
  } catch {
    return undefined;
  }
}

function objectOf(body: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const content: unknown = JSON.parse(new TextDecoder().decode(body));
    return isObject(content) ? content : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
