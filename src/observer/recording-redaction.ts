/**
 * Replaces the values in encoded OTLP `bytes[start, …)` that are exactly `hostName` by as many letters of "localhost",
 * in place: lengths stay, so the message stays valid.
 *
 *     AnyValue.string_value:  0x0a, length, text
 */
export function withoutHostName(bytes: Buffer, start: number, hostName: string): void {
  const text = Buffer.from(hostName);
  if (text.length === 0 || text.length > 127) return;
  const value = Buffer.concat([Buffer.from([0x0a, text.length]), text]);
  const replacement = 'localhost'.repeat(Math.ceil(text.length / 9)).slice(0, text.length);
  for (let at = bytes.indexOf(value, start); at >= 0; at = bytes.indexOf(value, at + value.length)) {
    bytes.write(replacement, at + 2, 'latin1');
  }
}
