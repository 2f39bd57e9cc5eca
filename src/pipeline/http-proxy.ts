/**
 * Which HTTP proxy a request goes through, by the rules that Go's programs follow: `HTTP_PROXY`, `HTTPS_PROXY` and
 * `NO_PROXY` (https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config), or what a `proxy_url` says.
 *
 * The packages for this on npm read NO_PROXY in another way (no networks, no subdomains), and a Kubernetes cluster's
 * NO_PROXY is full of networks.
 */
import { BlockList, isIP } from 'node:net';

export interface HttpProxy {
  /** Its scheme says how to speak to the proxy itself: `http:` or `https:`. */
  readonly url: URL;
  /** What the proxy wants to know about us: empty, or `proxy-authorization` from the user and password of its URL. */
  readonly headers: Readonly<Record<string, string>>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads `proxy_url`. Every host goes through it, loopback too. Throws when it is not a URL of an HTTP proxy. */
export function proxyFromUrl(text: string): HttpProxy {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const pair = url === undefined ? undefined : decoded(`${url.username}:${url.password}`);
  if (url === undefined || url.host === '' || pair === undefined) {
    // The password stays out of the log.
    throw new Error(`invalid proxy URL: ${JSON.stringify(text.replace(/^(\w+:\/\/)?.*@/, '$1[REDACTED]@'))}`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new Error(`unsupported proxy scheme "${url.protocol.slice(0, -1)}": use http or https`);
  }
  if (pair === ':') return { url, headers: {} };
  return { url, headers: { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` } };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** The proxy that the environment names for `target`; undefined: none. Throws when the variable is not a URL. */
export function proxyFromEnvironment(target: URL, environment: Environment): HttpProxy | undefined {
  const name = target.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const text = variable(environment, name);
  if (text === '' || isExempt(target, variable(environment, 'NO_PROXY'))) return undefined;
  return proxyFromUrl(text.includes('://') ? text : `http://${text}`);
}

/** The spelling in capitals wins. */
const variable = (environment: Environment, name: string): string =>
  environment[name] || environment[name.toLowerCase()] || '';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

function isExempt({ hostname, port, protocol }: URL, noProxy: string): boolean {
  const host = hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (host === 'localhost' || contains(LOOPBACK, host)) return true;
  const actualPort = port || (protocol === 'https:' ? '443' : '80');
  return noProxy
    .toLowerCase()
    .split(',')
    .some((entry) => matches(entry.trim(), host, actualPort));
}

/** One entry: `*`, a network, or an address or a domain, either with or without a port. */
function matches(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  const [, network, bits] = /^([\da-f.:]+)\/(\d{1,3})$/.exec(entry) ?? [];
  if (network !== undefined) return isInNetwork(network, Number(bits), host);
  const { name, onlyPort } = splitPort(entry);
  if (name === '' || (onlyPort !== undefined && onlyPort !== port)) return false;
  if (isIP(name) !== 0) return isIP(host) !== 0 && contains(listOf(name), host);
  const suffix = name.replace(/^\*\./, '.');
  // "example.com" is itself and all below it, ".example.com" only what is below it.
  return suffix.startsWith('.') ? host.endsWith(suffix) : host === suffix || host.endsWith(`.${suffix}`);
}

function splitPort(entry: string): { readonly name: string; readonly onlyPort?: string | undefined } {
  if (isIP(entry) !== 0) return { name: entry };
  const [, bracketed, plain, onlyPort] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d*))?$/.exec(entry) ?? [];
  return { name: bracketed ?? plain ?? '', onlyPort: onlyPort === '' ? undefined : onlyPort };
}

function isInNetwork(network: string, bits: number, host: string): boolean {
  const version = isIP(network);
  if (version === 0 || bits > (version === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(network, bits, version === 4 ? 'ipv4' : 'ipv6');
  return contains(list, host);
}

function listOf(address: string): BlockList {
  const list = new BlockList();
  list.addAddress(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');
  return list;
}

const contains = (list: BlockList, host: string): boolean =>
  isIP(host) !== 0 && list.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6');
