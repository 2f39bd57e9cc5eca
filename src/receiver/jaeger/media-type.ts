/** The media type of a header without its parameters, with the errors of Go's `mime.ParseMediaType`. */

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const PARAMETERS = new RegExp(
  `^(?:\\s*;\\s*${TOKEN}\\s*=\\s*(?:${TOKEN}|"(?:[^"\\\\]|\\\\.)*"))*\\s*;?\\s*$`,
);
const TYPE = new RegExp(`^${TOKEN}(?:/${TOKEN})?$`);

export type MediaType = { readonly type: string } | { readonly problem: string };

export function parseMediaType(header: string | undefined): MediaType {
  const text = header ?? '';
  const semicolon = text.indexOf(';');
  const type = (semicolon < 0 ? text : text.slice(0, semicolon)).trim().toLowerCase();
  if (type === '') return { problem: 'mime: no media type' };
  if (!TYPE.test(type)) {
    return {
      problem: type.includes('/')
        ? 'mime: unexpected content after media subtype'
        : 'mime: expected slash after first token',
    };
  }
  if (semicolon >= 0 && !PARAMETERS.test(text.slice(semicolon)))
    return { problem: 'mime: invalid media parameter' };
  return { type };
}
