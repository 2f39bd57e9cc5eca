/**
 * Which functions of a file handle TLS plaintext, and where they are probed. Pure: the file is read, nothing attached.
 */
import { NET_DIRECTION, TLS_CALL, TLS_LIBRARY } from '../../receiver/ebpf/abi.gen.js';
import type { TlsProgram } from '../../receiver/ebpf/native.js';
import type { ByteSource } from './byte-source.js';
import { ElfFile, type ElfFunction } from './elf-file.js';
import { isGoProgram, readGoFunctions } from './go-functions.js';
import {
  type CountPlace,
  findCallSite,
  findCalls,
  findEntrySite,
  findGoEntry,
  PRICE_NS,
  type ReadCode,
} from './probe-site.js';

export type TlsLibrary = 'openssl' | 'gnutls' | 'go';

/** One function that is probed, by one or two programs at the same place. */
export interface TlsProbe {
  readonly library: TlsLibrary;
  /** As the library's users know it. */
  readonly function: string;
  readonly programs: readonly TlsProgram[];
  /** In the file. */
  readonly offset: number;
  readonly cookie: number;
  /** Per call. */
  readonly priceNs: number;
}

export interface TlsBinary {
  readonly buildId: string;
  readonly probes: readonly TlsProbe[];
  /** What could not be found although the library is there; '' when nothing is missing. */
  readonly problem: string;
}

interface CFunction {
  readonly library: 'openssl' | 'gnutls';
  readonly name: string;
  readonly egress: boolean;
  readonly count: CountPlace;
  /** Not probed when this one is there: it is called by it. */
  readonly unless?: string;
}

const C_FUNCTIONS: readonly CFunction[] = [
  { library: 'openssl', name: 'SSL_read', egress: false, count: 'result' },
  { library: 'openssl', name: 'SSL_write', egress: true, count: 'result' },
  { library: 'openssl', name: 'SSL_read_ex', egress: false, count: 'arg3' },
  { library: 'openssl', name: 'SSL_write_ex', egress: true, count: 'arg3' },
  { library: 'gnutls', name: 'gnutls_record_recv', egress: false, count: 'result' },
  {
    library: 'gnutls',
    name: 'gnutls_record_send',
    egress: true,
    count: 'result',
    unless: 'gnutls_record_send2',
  },
  { library: 'gnutls', name: 'gnutls_record_send2', egress: true, count: 'result' },
];

const FREE = { openssl: 'SSL_free', gnutls: 'gnutls_deinit' } as const;
const C_NAMES = [...C_FUNCTIONS.map(({ name }) => name), ...Object.values(FREE)];
const GO_READ = 'crypto/tls.(*Conn).Read';
const GO_WRITE = 'crypto/tls.(*Conn).Write';
const GO_COPY = 'runtime.memmove';
const GO_NAMES = [GO_READ, GO_WRITE, GO_COPY];

const COUNT = {
  result: TLS_CALL.RESULT,
  arg3: TLS_CALL.COUNT_ARG3,
  arg4: TLS_CALL.COUNT_ARG4,
} as const;

const LIBRARY = { openssl: TLS_LIBRARY.OPENSSL, gnutls: TLS_LIBRARY.GNUTLS, go: TLS_LIBRARY.GO } as const;

/** The attachment's cookie: bpf/abi/config.h. */
const cookieOf = (library: TlsLibrary, egress: boolean, count: CountPlace): number =>
  COUNT[count] | ((egress ? NET_DIRECTION.EGRESS : NET_DIRECTION.INGRESS) << 8) | (LIBRARY[library] << 16);

/** Undefined when the file has none of the libraries. Never throws, whatever the bytes are. */
export function readTlsBinary(source: ByteSource, libraries: ReadonlySet<TlsLibrary>): TlsBinary | undefined {
  const elf = ElfFile.read(source);
  if (elf === undefined) return undefined;
  const read: ReadCode = (address, length) => elf.code(address, length);
  if (isGoProgram(elf)) return libraries.has('go') ? readGo(elf, read) : undefined;
  const found = elf.functions(C_NAMES);
  const probes: TlsProbe[] = [];
  for (const library of ['openssl', 'gnutls'] as const) {
    if (libraries.has(library)) probes.push(...readC(elf, read, library, found));
  }
  return probes.length === 0 ? undefined : { buildId: elf.buildId, probes, problem: '' };
}

function readC(
  elf: ElfFile,
  read: ReadCode,
  library: 'openssl' | 'gnutls',
  found: ReadonlyMap<string, ElfFunction>,
): TlsProbe[] {
  const probes = new Map<string, TlsProbe>();
  for (const { library: home, name, egress, count, unless } of C_FUNCTIONS) {
    const place = found.get(name);
    if (home !== library || place === undefined || (unless !== undefined && found.has(unless))) continue;
    const site =
      elf.machine === 'x86_64'
        ? findCallSite(read, place.address, count)
        : { address: place.address, count, priceNs: PRICE_NS.stepped + PRICE_NS.returned };
    const offset = elf.offsetOf(site.address);
    if (offset === undefined) continue;
    const cookie = cookieOf(library, egress, site.count);
    // SSL_read and SSL_read_ex share the function that does the work: one probe sees both.
    const key = `${offset} ${cookie}`;
    if (!probes.has(key)) {
      const programs = ['on_tls_call', 'on_tls_return'] as const;
      probes.set(key, { library, function: name, programs, offset, cookie, priceNs: site.priceNs });
    }
  }
  const free = found.get(FREE[library]);
  if (probes.size === 0 || free === undefined) return [...probes.values()];
  const site =
    elf.machine === 'x86_64'
      ? findEntrySite(read, free.address)
      : { address: free.address, priceNs: PRICE_NS.stepped };
  const offset = elf.offsetOf(site.address);
  if (offset !== undefined) {
    const programs = ['on_tls_free'] as const;
    const cookie = cookieOf(library, false, 'result');
    const freeProbe = { library, function: FREE[library], programs, offset, cookie, priceNs: site.priceNs };
    probes.set('free', freeProbe);
  }
  return [...probes.values()];
}

function readGo(elf: ElfFile, read: ReadCode): TlsBinary | undefined {
  let found: ReadonlyMap<string, ElfFunction> | undefined = elf.functions(GO_NAMES);
  if (GO_NAMES.some((name) => !found?.has(name))) found = readGoFunctions(elf, GO_NAMES);
  const { buildId } = elf;
  if (found === undefined) {
    return { buildId, probes: [], problem: 'its function table is of an unknown version of Go' };
  }
  const tlsRead = found.get(GO_READ);
  const tlsWrite = found.get(GO_WRITE);
  const copy = found.get(GO_COPY);
  // The linker leaves out what is not used: most programs without TLS.
  if (tlsRead === undefined || tlsWrite === undefined || copy === undefined) return undefined;
  if (elf.machine !== 'x86_64') {
    return { buildId, probes: [], problem: 'Go programs are understood on x86-64 only' };
  }
  const probes: TlsProbe[] = [];
  const add = (name: string, program: TlsProgram, egress: boolean, address: number, priceNs: number) => {
    const offset = elf.offsetOf(address);
    if (offset === undefined) return;
    const cookie = cookieOf('go', egress, 'result');
    probes.push({ library: 'go', function: name, programs: [program], offset, cookie, priceNs });
  };
  const writeEntry = findGoEntry(read, tlsWrite.address);
  const readEntry = findGoEntry(read, tlsRead.address);
  const copies = findCalls(read, tlsRead.address, tlsRead.size, copy.address);
  if (writeEntry === undefined || readEntry === undefined || copies.length !== 1) {
    return { buildId, probes, problem: 'crypto/tls was compiled in a way that is not known' };
  }
  add(GO_WRITE, 'on_go_write', true, writeEntry.address, writeEntry.priceNs);
  add(GO_READ, 'on_go_read', false, readEntry.address, readEntry.priceNs);
  add(GO_READ, 'on_go_copy', false, copies[0]!.address, copies[0]!.priceNs);
  return { buildId, probes, problem: '' };
}
