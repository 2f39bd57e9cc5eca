/** The headers that HPACK knows by number, from 1 on (RFC 7541, appendix A). */
const PAIRS =
  ':authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https|:status=200|:status=204|' +
  ':status=206|:status=304|:status=400|:status=404|:status=500|accept-charset|accept-encoding=gzip, deflate|' +
  'accept-language|accept-ranges|accept|access-control-allow-origin|age|allow|authorization|cache-control|' +
  'content-disposition|content-encoding|content-language|content-length|content-location|content-range|content-type|' +
  'cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range|if-unmodified-since|' +
  'last-modified|link|location|max-forwards|proxy-authenticate|proxy-authorization|range|referer|refresh|retry-after|' +
  'server|set-cookie|strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate';

export interface HeaderPair {
  readonly name: string;
  readonly value: string;
  /** What is wrong with it by itself, seen once when it was read. */
  readonly problem?: string | undefined;
}

export const STATIC_TABLE: readonly HeaderPair[] = PAIRS.split('|').map((pair) => {
  const [name = '', value = ''] = pair.split('=');
  return { name, value };
});

/** First number of each name. */
export const STATIC_NAMES: ReadonlyMap<string, number> = new Map(
  STATIC_TABLE.map(({ name }, index) => [name, index + 1] as const).toReversed(),
);

/** Numbers of the pairs that have a value, by `name=value`. */
export const STATIC_PAIRS: ReadonlyMap<string, number> = new Map(
  STATIC_TABLE.flatMap(({ name, value }, index) => (value === '' ? [] : [[`${name}=${value}`, index + 1]])),
);
