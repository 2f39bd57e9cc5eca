/** A URL taken apart into the attributes of the `url` namespace, as Go's net/url reads it. */
import { OttlError } from '../values.js';

/** Pairs of name and value; those without a value are left out, except domain, path and scheme. */
export function parseUrl(source: string): [string, string | bigint][] {
  const fail = (why: string): never => {
    throw new OttlError(`parse ${JSON.stringify(source)}: ${why}`);
  };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: net/url refuses exactly these
  if (/[\u0000-\u001f\u007f]/.test(source)) fail('net/url: invalid control character in URL');
  const hash = source.indexOf('#');
  const fragment = hash < 0 ? '' : source.slice(hash + 1);
  let rest = hash < 0 ? source : source.slice(0, hash);
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(rest)?.[1] ?? '';
  if (scheme !== '') rest = rest.slice(scheme.length + 1);
  else if (rest.startsWith(':')) fail('missing protocol scheme');
  const question = rest.indexOf('?');
  const query = question < 0 ? '' : rest.slice(question + 1);
  if (question >= 0) rest = rest.slice(0, question);
  let authority = '';
  if (rest.startsWith('//')) {
    const slash = rest.indexOf('/', 2);
    authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash);
    rest = slash < 0 ? '' : rest.slice(slash);
  }
  const { info, user, password, host, port } = readAuthority(authority, fail);
  const path = decode(rest, fail);
  const extension = /\.([^.]+)$/s.exec(path)?.[1];
  const original =
    (scheme === '' ? '' : `${scheme.toLowerCase()}:`) +
    (authority === '' ? '' : `//${authority}`) +
    encode(rest) +
    (question < 0 ? '' : `?${query}`) +
    (fragment === '' ? '' : `#${fragment}`);
  const pairs: [string, string | bigint][] = [
    ['url.original', original],
    ['url.domain', host],
    ['url.scheme', scheme.toLowerCase()],
    ['url.path', path],
  ];
  if (query !== '') pairs.push(['url.query', query]);
  if (fragment !== '') pairs.push(['url.fragment', decode(fragment, fail)]);
  if (port !== '') pairs.push(['url.port', BigInt(port)]);
  if (info !== undefined) {
    pairs.push(['url.user_info', info]);
    if (user !== undefined && user !== '') pairs.push(['url.username', user]);
    if (password !== undefined) pairs.push(['url.password', password]);
  }
  if (extension !== undefined) pairs.push(['url.extension', extension]);
  return pairs;
}

function readAuthority(authority: string, fail: (why: string) => never) {
  const at = authority.lastIndexOf('@');
  const info = at < 0 ? undefined : authority.slice(0, at);
  const hostPort = authority.slice(at + 1);
  const colon = info?.indexOf(':') ?? -1;
  const user = info === undefined ? undefined : decode(colon < 0 ? info : info.slice(0, colon), fail);
  const password = info === undefined || colon < 0 ? undefined : decode(info.slice(colon + 1), fail);
  if (hostPort.startsWith('[') && !hostPort.includes(']')) fail("missing ']' in host");
  const parts = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(hostPort);
  const port = parts?.[2] ?? '';
  if (!/^\d*$/.test(port)) fail(`invalid port ${JSON.stringify(`:${port}`)} after host`);
  const host = (parts?.[1] ?? '').replace(/^\[|\]$/g, '');
  return { info, user, password, host: decode(host, fail), port };
}

function decode(text: string, fail: (why: string) => never): string {
  const bad = /%(?![0-9a-fA-F]{2}).{0,2}/s.exec(text);
  if (bad !== null) fail(`invalid URL escape ${JSON.stringify(bad[0])}`);
  const bytes: Buffer[] = [];
  for (const part of text.split(/(%[0-9a-fA-F]{2})/)) {
    bytes.push(part.startsWith('%') ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part));
  }
  return Buffer.concat(bytes).toString('utf8');
}

/** Characters that can't stand in a path as they are. */
const encode = (path: string): string =>
  path.replace(/[^A-Za-z0-9\-_.~$&+,/:;=@!'()*%[\]]/gu, (char) => encodeURIComponent(char));
