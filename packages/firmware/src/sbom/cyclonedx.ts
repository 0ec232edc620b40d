/** Reads a bill of materials: CycloneDX 1.4 to 1.6 as JSON. @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import { z } from 'zod';
import { parseJson } from '../parse-json.ts';
import { SBOM_BYTES_MAX, SBOM_COMPONENTS_MAX, SBOM_DEPTH_MAX } from './limits.ts';

/** One part of a release. */
export interface SbomComponent {
  readonly name: string;
  readonly version: string | undefined;
  /** Package URL. */
  readonly purl: string | undefined;
  /** By algorithm as CycloneDX calls it (`SHA-256`), in hexadecimal. */
  readonly hashes: ReadonlyMap<string, string>;
}

/** What a release consists of. */
export interface Sbom {
  /** `1.6`. */
  readonly specVersion: string;
  readonly components: readonly SbomComponent[];
}

/** Reads a bill of materials; members that matter to nobody here are passed over. */
export function readSbom(bytes: Uint8Array): Sbom | Refusal {
  if (bytes.length > SBOM_BYTES_MAX) return wrong(`it has more than ${SBOM_BYTES_MAX} bytes`);
  const parsed = SbomSchema.safeParse(parseJson(bytes));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return wrong(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong'}`);
  }
  const { specVersion, components = [] } = parsed.data;
  const found: SbomComponent[] = [];
  let level: readonly unknown[] = components;
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth === SBOM_DEPTH_MAX) return wrong('its components are nested too deep');
    const inner: unknown[] = [];
    for (const item of level) {
      const component = ComponentSchema.safeParse(item);
      if (!component.success) return wrong('a component has no name, or is malformed');
      const { name, version, purl, hashes = [] } = component.data;
      const byName = new Map(hashes.map(({ alg, content }) => [alg, content.toLowerCase()]));
      found.push({ name, version, purl, hashes: byName });
      inner.push(...(component.data.components ?? []));
      if (found.length + inner.length > SBOM_COMPONENTS_MAX) {
        return wrong(`it has more than ${SBOM_COMPONENTS_MAX} components`);
      }
    }
    level = inner;
  }
  return { specVersion, components: found };
}

const SbomSchema = z.object({
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.string().regex(/^1\.[456]$/u),
  components: z.array(z.unknown()).max(SBOM_COMPONENTS_MAX).optional(),
});

const ComponentSchema = z.object({
  name: z.string().min(1).max(512),
  version: z.string().max(512).optional(),
  purl: z.string().max(2_048).optional(),
  hashes: z
    .array(
      z.object({ alg: z.string().max(32), content: z.string().regex(/^[0-9a-fA-F]{32,128}$/u) }),
    )
    .max(32)
    .optional(),
  components: z.array(z.unknown()).max(SBOM_COMPONENTS_MAX).optional(),
});

function wrong(problem: string): Refusal {
  return refuse('E_UPDATE_SBOM', `This is no bill of materials that can be read: ${problem}.`);
}
