/** Messages of PostgreSQL's protocol, for tests: text is ISO 8859-1, one character for each byte. */
export const int32 = (value: number): string =>
  String.fromCharCode((value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
export const int16 = (value: number): string => String.fromCharCode((value >>> 8) & 255, value & 255);

export const message = (type: string, content = ''): string =>
  `${type}${int32(content.length + 4)}${content}`;

export const startup = (parameters: Record<string, string>, version = 196_608): string => {
  const content = Object.entries(parameters)
    .map(([key, value]) => `${key}\0${value}\0`)
    .join('');
  return `${int32(content.length + 9)}${int32(version)}${content}\0`;
};
export const SSL_REQUEST = `${int32(8)}${int32(80_877_103)}`;
export const CANCEL_REQUEST = `${int32(16)}${int32(80_877_102)}${int32(4711)}${int32(99)}`;

export const query = (text: string): string => message('Q', `${text}\0`);
export const parse = (name: string, text: string): string => message('P', `${name}\0${text}\0${int16(0)}`);
export const bind = (portal: string, name: string, ...values: string[]): string =>
  message(
    'B',
    `${portal}\0${name}\0${int16(0)}${int16(values.length)}${values.map((v) => int32(v.length) + v).join('')}${int16(0)}`,
  );
export const describePortal = (portal = ''): string => message('D', `P${portal}\0`);
export const execute = (portal = ''): string => message('E', `${portal}\0${int32(0)}`);
export const SYNC = message('S');

export const rowDescription = (...names: string[]): string =>
  message(
    'T',
    int16(names.length) +
      names
        .map((n) => `${n}\0${int32(0)}${int16(0)}${int32(25)}${int16(-1)}${int32(-1)}${int16(0)}`)
        .join(''),
  );
export const dataRow = (...values: string[]): string =>
  message('D', int16(values.length) + values.map((v) => int32(v.length) + v).join(''));
export const complete = (tag: string): string => message('C', `${tag}\0`);
export const ready = (status = 'I'): string => message('Z', status);
export const error = (state: string, text: string, severity = 'ERROR'): string =>
  message('E', `S${severity}\0V${severity}\0C${state}\0M${text}\0Fparse.c\0\0`);
export const PARSED = message('1');
export const BOUND = message('2');
export const AUTHENTICATED = `${message('R', int32(0))}${message('S', 'server_version\x0017.2\0')}${message('K', int32(4711) + int32(99))}${ready()}`;
