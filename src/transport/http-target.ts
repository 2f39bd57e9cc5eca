/** The paths of requests, treated as Go's `http.ServeMux` treats them, on which a Collector's servers stand. */

export type Target =
  | { readonly kind: 'path'; readonly path: string }
  /** The path was not in its shortest form; where it is. */
  | { readonly kind: 'redirect'; readonly location: string }
  | { readonly kind: 'malformed' };

const ABSOLUTE = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i;

/** Of the request line: a path with a query, or a whole URL (RFC 9112 section 3.2). */
export function targetOf(url: string): Target {
  const local = url.replace(ABSOLUTE, '');
  const mark = local.indexOf('?');
  const query = mark < 0 ? '' : local.slice(mark);
  let path: string;
  try {
    // An encoded slash separates nothing.
    path = decodeURIComponent((mark < 0 ? local : local.slice(0, mark)).replace(/%2f/gi, '%252F'));
  } catch {
    return { kind: 'malformed' };
  }
  if (path !== '' && !path.startsWith('/')) return { kind: 'malformed' };
  const clean = cleanPath(path);
  return clean === path ? { kind: 'path', path } : { kind: 'redirect', location: encodeURI(clean) + query };
}

/** Without empty, `.` and `..` elements; a slash at the end stays. */
function cleanPath(path: string): string {
  const kept: string[] = [];
  for (const element of path.split('/')) {
    if (element === '..') kept.pop();
    else if (element !== '' && element !== '.') kept.push(element);
  }
  const clean = `/${kept.join('/')}`;
  return path.endsWith('/') && clean !== '/' ? `${clean}/` : clean;
}

/** Values by path. One whose path ends in a slash serves everything below it. */
export class Routes<T> {
  readonly #exact: ReadonlyMap<string, T>;
  readonly #trees: readonly (readonly [prefix: string, T])[];

  constructor(entries: Iterable<readonly [path: string, T]>) {
    this.#exact = new Map(entries);
    this.#trees = [...this.#exact].filter(([path]) => path.endsWith('/'));
  }

  find(path: string): T | undefined {
    return this.#exact.get(path) ?? this.#trees.find(([prefix]) => path.startsWith(prefix))?.[1];
  }

  /** Only the slash at the end is missing. */
  isTree(path: string): boolean {
    return this.#exact.has(`${path}/`);
  }
}
