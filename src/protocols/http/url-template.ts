/** A path of low cardinality: `/orders/{id}/items`. One object for each text of a service: compare by identity. */
export interface UrlTemplate {
  readonly text: string;
  /** A user said so: good enough for `http.route`, which must never be guessed from paths. */
  readonly isRoute: boolean;
}

export interface UrlTemplateOptions {
  /** `learned`: by the rules, and what no rule fits by what was seen. */
  readonly mode: 'learned' | 'rules' | 'off';
  /** Patterns; the first that fits decides. */
  readonly rules: readonly string[];
  /** Different words at one position of a path; more are ids. */
  readonly maxValues: number;
  /** Templates of one length that a service may have. */
  readonly maxTemplates: number;
}

export const DEFAULT_URL_TEMPLATES: UrlTemplateOptions = {
  mode: 'learned',
  rules: [],
  maxValues: 50,
  maxTemplates: 1000,
};

/** The target of a name: `{method} {template}`. */
export const withTemplate = (method: string, template: UrlTemplate | undefined): string =>
  template === undefined ? method : `${method} ${template.text}`;

/** The segments of a path; empty ones (`//`, a slash at the end) and parameters (`;v=1`) say nothing of its kind. */
export function segmentsOf(path: string): string[] {
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    const parameters = segment.indexOf(';');
    const word = parameters < 0 ? segment : segment.slice(0, parameters);
    if (word !== '') segments.push(word);
  }
  return segments;
}
