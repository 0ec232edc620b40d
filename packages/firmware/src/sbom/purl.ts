/** Package URLs, and what a package is called among known vulnerabilities. @module */

/** A package as vulnerabilities are filed under. */
export interface PackageName {
  /** Of OSV: `npm`, `PyPI`, `Debian`; without a release behind a colon. */
  readonly ecosystem: string;
  /** As the ecosystem writes it: `@scope/name`, `group:artifact`. */
  readonly name: string;
}

/** A package with its version. */
export interface PackageVersion extends PackageName {
  readonly version: string;
  /** Of a distribution, which one, where it is said: `12` of Debian. */
  readonly release?: string;
}

/**
 * Reads a package URL of an ecosystem that vulnerabilities are known of.
 * @see https://github.com/package-url/purl-spec
 * @returns undefined for others, and for one that is malformed or has no version
 */
export function readPurl(purl: string): PackageVersion | undefined {
  const [, type = '', path = '', version = '', query = ''] = PURL.exec(purl) ?? [];
  const ecosystem = ECOSYSTEMS.get(type.toLowerCase());
  const parts = path.split('/').map(decoded);
  const whole = parts.filter((part) => part !== undefined && part !== '');
  const number = decoded(version);
  if (ecosystem === undefined || !number || whole.length !== parts.length) return undefined;
  const qualifiers = new URLSearchParams(query);
  const name = sourceName(qualifiers) ?? nameIn(ecosystem, whole.map(String));
  const release = distroRelease(qualifiers.get('distro') ?? '');
  return { ecosystem, name, version: number, ...(release !== undefined && { release }) };
}

/** Distributions file vulnerabilities under the source package: `libssl3` under `openssl`. */
function sourceName(qualifiers: URLSearchParams): string | undefined {
  const upstream = qualifiers.get('upstream')?.split('@')[0];
  return upstream === '' ? undefined : upstream;
}

/** `debian-12.5` → `12`, `alpine-3.19.1` → `3.19`. */
function distroRelease(distro: string): string | undefined {
  const [, debian, alpine] = /^(?:debian-(\d+)|alpine-v?(\d+\.\d+))/u.exec(distro) ?? [];
  return debian ?? alpine;
}

/** The release behind the colon of an ecosystem of OSV: `Debian:12`, `Alpine:v3.19`. */
export function releaseOf(ecosystem: string): string | undefined {
  return /^[^:]+:v?([^:]{1,64})$/u.exec(ecosystem)?.[1];
}

/** The key of a package: one text for one package. */
export function packageKey({ ecosystem, name }: PackageName): string {
  const [base = ''] = ecosystem.split(':');
  return `${base}/${nameIn(base, [name])}`;
}

function nameIn(ecosystem: string, parts: readonly string[]): string {
  if (ecosystem === 'Maven') return parts.join(':');
  // The namespace of a distribution is its own name: pkg:deb/debian/curl.
  if (DISTRIBUTIONS.has(ecosystem)) return parts.at(-1) ?? '';
  const name = parts.join('/');
  // PEP 503: one package, however its name is written.
  return ecosystem === 'PyPI' ? name.toLowerCase().replaceAll(/[-_.]+/gu, '-') : name;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

const PURL = /^pkg:\/*([a-z0-9.+-]{1,32})\/([^?#@]{1,512})@([^?#@]{1,256})(?:\?([^#]*))?(?:#|$)/iu;
const ECOSYSTEMS: ReadonlyMap<string, string> = new Map([
  ['npm', 'npm'],
  ['pypi', 'PyPI'],
  ['cargo', 'crates.io'],
  ['golang', 'Go'],
  ['maven', 'Maven'],
  ['gem', 'RubyGems'],
  ['nuget', 'NuGet'],
  ['composer', 'Packagist'],
  ['hex', 'Hex'],
  ['pub', 'Pub'],
  ['swift', 'SwiftURL'],
  ['conan', 'ConanCenter'],
  ['deb', 'Debian'],
  ['apk', 'Alpine'],
]);
const DISTRIBUTIONS: ReadonlySet<string> = new Set(['Debian', 'Alpine']);
