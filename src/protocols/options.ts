/** What users decide about all protocols: how much of the payload spans may show. */
export interface ProtocolOptions {
  /** URL query strings. `redacted`: names, with every value replaced. */
  readonly urlQuery: 'redacted' | 'full' | 'off';
  /** `db.query.text`. `sanitised`: every literal replaced by `?`. */
  readonly queryText: 'sanitised' | 'full' | 'off';
  /** Most exchanges that may be open on one connection. */
  readonly maxOpen: number;
}

export const DEFAULT_PROTOCOL_OPTIONS: ProtocolOptions = {
  urlQuery: 'redacted',
  queryText: 'sanitised',
  maxOpen: 4096,
};
