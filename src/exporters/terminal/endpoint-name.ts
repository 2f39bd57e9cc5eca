/** Names for what a request asked for, few enough to list: the route, or the path without its ids. */
import { ID, looksLikeId } from '../../protocols/identifier.js';

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
  const named = segments.map((segment) => (looksLikeId(segment) ? ID : segment));
  return named.length > MAX_SEGMENTS + 1
    ? `${named.slice(0, MAX_SEGMENTS + 1).join('/')}/...`
    : named.join('/');
};
