/** Names for what a request asked for, few enough to list: the route, or the path without its ids. */

/** What is known of a request; '' where it is not. */
export interface RequestFacts {
  readonly route: string;
  readonly method: string;
  readonly path: string;
  readonly spanName: string;
}

const MAX_SEGMENTS = 6;

/** "GET /orders/{id}" for a route or a path, else the name of the span. */
export const endpointName = ({ route, method, path, spanName }: RequestFacts): string => {
  if (route !== '') return method === '' ? route : `${method} ${route}`;
  if (path !== '') return `${method} ${templatePath(path)}`.trim();
  return spanName;
};

/** Replaces segments that look like ids, and cuts the query and very deep paths: "/a/7/b?x" becomes "/a/{id}/b". */
export const templatePath = (path: string): string => {
  const segments = path.replace(/[?#;].*$/s, '').split('/');
  const named = segments.map((segment) => (isId(segment) ? '{id}' : segment));
  return named.length > MAX_SEGMENTS + 1
    ? `${named.slice(0, MAX_SEGMENTS + 1).join('/')}/...`
    : named.join('/');
};

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
/** Digits with punctuation: 42, 2024-01-31, 10.0.0.1, +49-30. */
const NUMBER_LIKE = /^[+-]?\d[\d.,:_+-]*$/;
const HEX = /^[0-9a-f]{8,}$/i;

const isId = (segment: string): boolean => {
  if (segment === '') return false;
  if (NUMBER_LIKE.test(segment) || UUID.test(segment)) return true;
  const digits = segment.replace(/\D/g, '').length;
  if (HEX.test(segment) && digits > 0) return true;
  if (segment.length > 48 || segment.includes('%')) return true;
  // Tokens: long, and full of digits or of mixed case with digits, which no person would choose as a name.
  const mixed = digits > 0 && /[a-z]/.test(segment) && /[A-Z]/.test(segment);
  return segment.length >= 16 && (mixed || digits * 5 > segment.length);
};
