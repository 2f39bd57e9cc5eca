const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const TYPE = new RegExp(`^\\s*(${TOKEN}/${TOKEN})\\s*((?:;.*)?)$`);
const PARAMETER = new RegExp(`^;\\s*${TOKEN}=(?:${TOKEN}|"(?:[^"\\\\]|\\\\.)*")\\s*`);
const LAST = /^\s*;?\s*$/;

/**
 * The type and subtype of a Content-Type in lower case (RFC 9110 section 8.3.1); undefined when the header is missing or
 * malformed, its parameters included, which is how a Collector reads it.
 */
export function mediaTypeOf(header: string | undefined): string | undefined {
  const match = header === undefined ? null : TYPE.exec(header);
  if (match === null) return undefined;
  for (let rest = match[2]!; !LAST.test(rest); ) {
    const parameter = PARAMETER.exec(rest)?.[0];
    if (parameter === undefined) return undefined;
    rest = rest.slice(parameter.length);
  }
  return match[1]!.toLowerCase();
}
