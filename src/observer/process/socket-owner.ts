/**
 * Which process holds the local end of a TCP connection.
 *
 * /proc/net/tcp and tcp6 (format: proc(5); Linux, net/ipv4/tcp_ipv4.c) give the socket's inode, and a search of the
 * descriptors of all processes gives who has it open. Each network namespace has tables of its own, so those of the
 * other namespaces are read through one of their processes.
 *
 * The slow path, made for one look-up per connection: what was seen is kept for a moment, and a search that found its
 * socket goes on from there for the next one.
 */
import { endianness } from 'node:os';
import type { SocketTuple } from '../types.js';
import { addressBytes } from './ip-address.js';
import { readFolder, readLink, readText } from './proc-files.js';

/** How long what was seen counts as current. */
const FRESH_MS = 2000;
/** 150 bytes for each socket. */
const MAX_TABLE_BYTES = 16 << 20;
const MAX_NAMESPACES = 64;
/** Descriptors looked at in one round; about 2 us each. */
const MAX_DESCRIPTORS = 131_072;

export class SocketOwners {
  readonly #root: string;
  readonly #now: () => number;
  #since = Number.NEGATIVE_INFINITY;
  #tables = new Map<string, string>();
  #folders: string[] | undefined;
  #ownerByInode = new Map<string, number>();
  #search: Iterator<void> | undefined;

  /** `root`: "/proc". `now`: milliseconds, any origin. */
  constructor(root: string, now: () => number) {
    this.#root = root;
    this.#now = now;
  }

  /** The pid, or undefined when no process has the socket open (any more) or the search reached its limit. */
  find(tuple: SocketTuple): number | undefined {
    if (tuple.family === 'unix') return undefined;
    if (this.#now() - this.#since > FRESH_MS) {
      this.#since = this.#now();
      this.#tables = new Map();
      this.#folders = undefined;
      this.#ownerByInode = new Map();
      this.#search = undefined;
    }
    const inode = this.#inodeOf(tuple);
    return inode === undefined ? undefined : this.#ownerOf(inode);
  }

  #inodeOf(tuple: SocketTuple): string | undefined {
    const local = addressBytes(tuple.localAddress);
    const remote = addressBytes(tuple.remoteAddress);
    if (!local || !remote || local.length !== remote.length) return undefined;
    const searches: [file: string, needle: string][] = [];
    if (local.length === 4) searches.push(['tcp', needle(tuple, local, remote)]);
    // A socket of both families shows its IPv4 peers as v4-mapped addresses.
    searches.push(['tcp6', needle(tuple, mapped(local), mapped(remote))]);
    for (const folder of this.#netFolders()) {
      for (const [file, text] of searches) {
        const inode = inodeAfter(this.#table(`${folder}/${file}`), text);
        if (inode !== undefined) return inode;
      }
    }
    return undefined;
  }

  #table(path: string): string {
    let text = this.#tables.get(path);
    if (text === undefined) {
      text = readText(path, MAX_TABLE_BYTES) ?? '';
      this.#tables.set(path, text);
    }
    return text;
  }

  /** One `net` folder for each network namespace, this process's own first. */
  *#netFolders(): Generator<string> {
    yield `${this.#root}/net`;
    this.#folders ??= this.#otherNamespaces();
    yield* this.#folders;
  }

  #otherNamespaces(): string[] {
    const seen = new Set([readLink(`${this.#root}/self/ns/net`)]);
    const folders: string[] = [];
    for (const pid of this.#pids()) {
      if (folders.length === MAX_NAMESPACES) break;
      const namespace = readLink(`${this.#root}/${pid}/ns/net`);
      if (namespace === undefined || seen.has(namespace)) continue;
      seen.add(namespace);
      folders.push(`${this.#root}/${pid}/net`);
    }
    return folders;
  }

  #pids(): string[] {
    return readFolder(this.#root).filter((name) => /^\d+$/.test(name));
  }

  #ownerOf(inode: string): number | undefined {
    this.#search ??= this.#searchDescriptors();
    for (;;) {
      const owner = this.#ownerByInode.get(inode);
      if (owner !== undefined) return owner;
      if (this.#search.next().done) return undefined;
    }
  }

  /** Notes the sockets of one process with each step. */
  *#searchDescriptors(): Generator<void, void> {
    let looked = 0;
    for (const pid of this.#pids()) {
      for (const descriptor of readFolder(`${this.#root}/${pid}/fd`)) {
        if (++looked > MAX_DESCRIPTORS) return;
        const target = readLink(`${this.#root}/${pid}/fd/${descriptor}`);
        if (target?.startsWith('socket:[')) {
          const inode = target.slice('socket:['.length, -1);
          // Inherited sockets have several owners; the first found is the parent, more often than not.
          if (!this.#ownerByInode.has(inode)) this.#ownerByInode.set(inode, Number(pid));
        }
      }
      yield;
    }
  }
}

const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
const mapped = (bytes: readonly number[]): readonly number[] =>
  bytes.length === 4 ? [...MAPPED_PREFIX, ...bytes] : bytes;

/** " 0100007F:1F90 0100007F:C001 ", as the table writes both ends. */
function needle(tuple: SocketTuple, local: readonly number[], remote: readonly number[]): string {
  const end = (bytes: readonly number[], port: number) =>
    `${tableAddress(bytes)}:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return ` ${end(local, tuple.localPort)} ${end(remote, tuple.remotePort)} `;
}

/** The kernel prints each 32-bit word of an address in the machine's byte order. */
function tableAddress(bytes: readonly number[]): string {
  let text = '';
  for (let word = 0; word < bytes.length; word += 4) {
    const four = bytes.slice(word, word + 4);
    if (endianness() === 'LE') four.reverse();
    for (const byte of four) text += byte.toString(16).toUpperCase().padStart(2, '0');
  }
  return text;
}

/** The inode of the line that holds `text`; sockets without an owner (TIME_WAIT) have inode 0 and do not count. */
function inodeAfter(table: string, text: string): string | undefined {
  for (let at = table.indexOf(text); at >= 0; at = table.indexOf(text, at + 1)) {
    const end = table.indexOf('\n', at);
    // st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode
    const fields = table.slice(at + text.length, end < 0 ? undefined : end).split(/\s+/);
    const inode = fields[6];
    if (inode !== undefined && inode !== '0') return inode;
  }
  return undefined;
}
