/** Packets of MySQL's protocol, for tests: text is ISO 8859-1, one character for each byte. */
const byte = (...values: number[]): string => String.fromCharCode(...values.map((value) => value & 255));
const int16 = (value: number): string => byte(value, value >>> 8);
const int32 = (value: number): string => int16(value) + int16(value >>> 16);

export const packet = (sequence: number, payload: string): string =>
  byte(payload.length, payload.length >>> 8, payload.length >>> 16, sequence) + payload;

export const greeting = (version = '8.4.0'): string =>
  packet(
    0,
    `\x0a${version}\0${int32(7)}12345678\0${int16(0xffff)}\x2d${int16(2)}${int16(0xffff)}\x15${'\0'.repeat(10)}123456789012\0mysql_native_password\0`,
  );
/** CLIENT_PROTOCOL_41 and what else is asked for. */
export const login = (capabilities: number, database = ''): string =>
  packet(
    1,
    `${int32(capabilities | 0x8200 | (database === '' ? 0 : 8))}${int32(0x100_0000)}\x2d${'\0'.repeat(23)}app\0\x14${'h'.repeat(20)}${database === '' ? '' : `${database}\0`}`,
  );
export const command = (code: number, content = ''): string => packet(0, byte(code) + content);
export const query = (text: string): string => command(3, text);
export const prepare = (text: string): string => command(0x16, text);
export const executeStatement = (id: number): string =>
  command(0x17, `${int32(id)}\0${int32(1)}\0\x01\x08\0${'\x07'.padEnd(8, '\0')}`);

export const ok = (sequence = 1, status = 2): string =>
  packet(sequence, `\0\x01\0${int16(status)}${int16(0)}`);
export const eof = (sequence: number, status = 2): string =>
  packet(sequence, `\xfe${int16(0)}${int16(status)}`);
export const failure = (code: number, message: string, sequence = 1): string =>
  packet(sequence, `\xff${int16(code)}#42000${message}`);
export const definition = (sequence: number, name: string): string =>
  packet(sequence, `\x03def\0\0\0${byte(name.length)}${name}\0\x0c\x3f\0${int32(11)}\x03\0\0\0\0\0`);
/** One column, one row. */
export const resultSet = (deprecateEof: boolean, status = 2, sequence = 1): string =>
  packet(sequence, '\x01') +
  definition(sequence + 1, 'a') +
  (deprecateEof ? '' : eof(sequence + 2)) +
  packet(sequence + 3, '\x01x') +
  (deprecateEof ? packet(sequence + 4, `\xfe\0\0${int16(status)}${int16(0)}`) : eof(sequence + 4, status));
export const prepared = (id: number, parameters: number, columns: number, deprecateEof: boolean): string => {
  let sequence = 2;
  let result = packet(1, `\0${int32(id)}${int16(columns)}${int16(parameters)}\0\0\0`);
  for (const count of [parameters, columns]) {
    for (let i = 0; i < count; i++) result += definition(sequence++, '?');
    if (count > 0 && !deprecateEof) result += eof(sequence++);
  }
  return result;
};
