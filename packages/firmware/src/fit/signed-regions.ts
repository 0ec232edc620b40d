/** Which bytes of a FIT image the signature of a configuration covers. @module */
import { TREE_DEPTH_MAX } from './limits.ts';
import { type TreeStep, treeLayout, walkTree } from './walk-tree.ts';

/**
 * The bytes that U-Boot hashes, in order: of each named node its begin, its properties but those
 * that hold content, and its end; of its children begin and end; the end of the tree; the names of
 * all properties. Written after U-Boot's `fdt_find_regions` and `fit_config_check_sig`, so that
 * both ends cut the same bytes.
 * @param paths - `/`, `/configurations/conf-1`, `/images/kernel-1` …
 * @param stringsLength - bytes of the names, from their beginning; all of them unless told
 * @throws TypeError for bytes that are no device tree
 */
export function signedRegions(
  blob: Uint8Array,
  paths: readonly string[],
  stringsLength?: number,
): Uint8Array[] {
  const layout = treeLayout(blob);
  if (layout === undefined) throw new TypeError('no device tree');
  const wanted = new WantedSteps(new Set(paths));
  const regions: Uint8Array[] = [];
  for (const step of walkTree(blob, layout)) {
    if (wanted.has(step)) regions.push(blob.subarray(step.at, step.next));
  }
  const length = Math.min(stringsLength ?? layout.stringsLength, layout.stringsLength);
  return [...regions, blob.subarray(layout.stringsAt, layout.stringsAt + length)];
}

/** Decides step by step. How much of a node is wanted: 2 all, 1 begin and end, 0 nothing. */
class WantedSteps {
  readonly #paths: ReadonlySet<string>;
  readonly #outer: { readonly path: string; readonly want: number }[] = [];
  #path = '';
  #want = 0;

  constructor(paths: ReadonlySet<string>) {
    this.#paths = paths;
  }

  has(step: TreeStep): boolean {
    switch (step.kind) {
      case 'begin':
        return this.#enter(step.name) > 0;
      case 'property':
        return this.#want === 2 && !CONTENT.has(step.name);
      case 'nop':
        return this.#want === 2;
      case 'end-node':
        return this.#leave() > 0;
      case 'end':
        return true;
    }
  }

  #enter(name: string): number {
    if (this.#outer.length === TREE_DEPTH_MAX) throw new TypeError('the tree is too deep');
    this.#outer.push({ path: this.#path, want: this.#want });
    this.#path = this.#path === '/' ? `/${name}` : `${this.#path}/${name}`;
    this.#want = this.#paths.has(this.#path) ? 2 : Math.max(this.#want - 1, 0);
    return this.#want;
  }

  #leave(): number {
    const left = this.#want;
    const outer = this.#outer.pop();
    if (outer === undefined) throw new TypeError('more nodes end than begin');
    this.#path = outer.path;
    this.#want = outer.want;
    return left;
  }
}

/** Content is covered by its hash, which is a node of its own. */
const CONTENT = new Set(['data', 'data-size', 'data-position', 'data-offset']);
