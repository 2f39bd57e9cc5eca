/**
 * Layouts of Kafka messages and the walk through one (https://kafka.apache.org/protocol.html, KIP-482 for flexible
 * versions). A layout is text, one token for each field, in the order of the wire:
 *
 *     topic:s@-12 id:u@13- [partition:i records:r]        role : type @ versions that have it
 *
 *     b h i l  integers of 1, 2, 4, 8 bytes       s  string      B  bytes      r  record batches      u  UUID
 *     [ … ]    array of structures                *s array of strings          ( … )  structure   ?( … ) one that may be null
 *
 * Fields without a role are passed over. Versions that are flexible have compact lengths, and tagged fields at the end of
 * each structure; those are not written down.
 */

/** What a field is to us. */
export type Role = (typeof ROLES)[number];
const ROLES = [
  'acks',
  'epoch',
  'error',
  'forgotten',
  'group',
  'id',
  'key',
  'keyType',
  'least',
  'offset',
  'partition',
  'records',
  'session',
  'topic',
  'transaction',
  'wait',
] as const;

const isRole = (text: string): text is Role => (ROLES as readonly string[]).includes(text);

type Kind = 'number' | 'string' | 'bytes' | 'uuid' | 'array' | 'struct' | 'nullable' | 'tags';

export interface LayoutNode {
  readonly kind: Kind;
  readonly role: Role | undefined;
  /** Bytes of a number, or of neighbours without a role. */
  readonly size: number;
  /** Of arrays and structures. */
  readonly children: readonly LayoutNode[];
  /** Elements are structures, not single values. */
  readonly structs: boolean;
}

const SIZES: Readonly<Record<string, number>> = { b: 1, h: 2, i: 4, l: 8 };
const NOTHING: readonly LayoutNode[] = [];

/** The fields of `version`, of a layout whose versions are flexible from `flexible` on. Throws on what is no layout. */
export function compileLayout(text: string, version: number, flexible: number): readonly LayoutNode[] {
  const tokens = text.match(/(?:(?:[a-zA-Z]+:)?\*?(?:\?\(|[[(a-zA-Z])|[\])])(?:@[\d-]+)?/g) ?? [];
  let at = 0;
  const list = (closing: string): LayoutNode[] => {
    const nodes: LayoutNode[] = [];
    while (at < tokens.length) {
      const token = tokens[at++]!;
      if (token.startsWith(closing) && closing !== '') {
        at--;
        break;
      }
      const node = field(token);
      const before = nodes.at(-1);
      if (node === undefined) continue;
      if (isSkipped(node) && before !== undefined && isSkipped(before)) {
        nodes[nodes.length - 1] = { ...before, size: before.size + node.size };
      } else nodes.push(node);
    }
    if (version >= flexible) nodes.push(nodeOf('tags', undefined, 0, NOTHING));
    return nodes;
  };
  const field = (token: string): LayoutNode | undefined => {
    const colon = token.indexOf(':');
    const name = colon < 0 ? '' : token.slice(0, colon);
    if (name !== '' && !isRole(name)) throw new Error(`No such role: ${name}`);
    const role = name === '' ? undefined : (name as Role);
    const [type = '', own] = token.slice(colon + 1).split('@');
    if (type === '[' || type === '(' || type === '?(') {
      const closing = type === '[' ? ']' : ')';
      const children = list(closing);
      const range = tokens[at++]!.split('@')[1];
      const kind = type === '[' ? 'array' : type === '(' ? 'struct' : 'nullable';
      return within(range, version) ? nodeOf(kind, role, 0, children, true) : undefined;
    }
    if (!within(own, version)) return undefined;
    return type.startsWith('*')
      ? nodeOf('array', undefined, 0, [single(type.slice(1), role)])
      : single(type, role);
  };
  return list('');
}

const isSkipped = ({ kind, role }: LayoutNode): boolean => kind === 'number' && role === undefined;

const nodeOf = (
  kind: Kind,
  role: Role | undefined,
  size: number,
  children: readonly LayoutNode[],
  structs = false,
): LayoutNode => ({ kind, role, size, children, structs });

function single(type: string, role: Role | undefined): LayoutNode {
  const size = SIZES[type];
  if (size !== undefined) return nodeOf('number', role, size, NOTHING);
  if (type === 'u') return nodeOf('uuid', role, 16, NOTHING);
  if (type === 's') return nodeOf('string', role, 0, NOTHING);
  if (type === 'B' || type === 'r') return nodeOf('bytes', role, 0, NOTHING);
  throw new Error(`No such type: ${type}`);
}

function within(range: string | undefined, version: number): boolean {
  if (range === undefined) return true;
  const [from = '', to = from] = range.split('-');
  return version >= Number(from) && (to === '' || version <= Number(to));
}

/** Told of the fields that have a role, in their order. */
export interface LayoutVisitor {
  number(role: Role, value: number): void;
  /** `bytes[start, end)`; empty for null. */
  text(role: Role, bytes: Buffer, start: number, end: number): void;
  uuid(bytes: Buffer, start: number): void;
  /** `bytes[start, end)` of `length` bytes are visible. */
  batch(bytes: Buffer, start: number, end: number, length: number): void;
  /** An element of an array of structures begins, whose role is `role`; `leave` follows. */
  enter(role: Role | undefined): void;
  leave(role: Role | undefined): void;
}

/** Elements of one array that are believed; no message has more partitions than that. */
const MAX_ELEMENTS = 1_000_000;
const MAX_TAGS = 64;

/** Walks through one message; reusable. */
export class LayoutWalk {
  /** How the last walk ended: `cut` where bytes were not visible, `bad` where they contradict the layout. */
  result: 'whole' | 'cut' | 'bad' = 'whole';
  /** Position after what was read. */
  at = 0;
  #bytes: Buffer = Buffer.alloc(0);
  #end = 0;
  #limit = 0;
  #flexible = false;
  #visitor: LayoutVisitor | undefined;

  /** `bytes[start, end)` are visible of a message that ends at `limit`. */
  run(
    nodes: readonly LayoutNode[],
    flexible: boolean,
    bytes: Buffer,
    start: number,
    end: number,
    limit: number,
    visitor: LayoutVisitor | undefined,
  ): void {
    this.#bytes = bytes;
    this.at = start;
    this.#end = end;
    this.#limit = limit;
    this.#flexible = flexible;
    this.#visitor = visitor;
    this.result = 'whole';
    this.#fields(nodes);
    this.#visitor = undefined;
  }

  #fields(nodes: readonly LayoutNode[]): boolean {
    for (const node of nodes) if (!this.#field(node)) return false;
    return true;
  }

  #field(node: LayoutNode): boolean {
    switch (node.kind) {
      case 'number':
        return this.#number(node);
      case 'string':
        return this.#string(node.role);
      case 'bytes':
        return this.#blob(node.role);
      case 'uuid': {
        const start = this.at;
        if (!this.#take(16)) return false;
        if (node.role !== undefined) this.#visitor?.uuid(this.#bytes, start);
        return true;
      }
      case 'array':
        return this.#array(node);
      case 'struct':
        return this.#fields(node.children);
      case 'nullable': {
        const start = this.at;
        if (!this.#take(1)) return false;
        return this.#bytes[start] === 0xff || this.#fields(node.children);
      }
      case 'tags':
        return this.#tags();
    }
  }

  #number({ role, size }: LayoutNode): boolean {
    const start = this.at;
    if (!this.#take(size)) return false;
    if (role !== undefined) this.#visitor?.number(role, readInteger(this.#bytes, start, size));
    return true;
  }

  #string(role: Role | undefined): boolean {
    const length = this.#flexible ? this.#compact() : this.#short();
    if (this.result !== 'whole') return false;
    if (length < 0) return true;
    const start = this.at;
    if (length > 0x7fff) return this.#bad();
    if (!this.#take(length)) return false;
    if (role !== undefined) this.#visitor?.text(role, this.#bytes, start, this.at);
    return true;
  }

  #blob(role: Role | undefined): boolean {
    const length = this.#flexible ? this.#compact() : this.#int();
    if (this.result !== 'whole') return false;
    if (length < 0) return true;
    const start = this.at;
    if (start + length > this.#limit) return this.#bad();
    if (role === 'records')
      this.#visitor?.batch(this.#bytes, start, Math.min(this.#end, start + length), length);
    return this.#take(length);
  }

  #array({ children, role, structs }: LayoutNode): boolean {
    const count = this.#flexible ? this.#compact() : this.#int();
    if (this.result !== 'whole') return false;
    // Each element has a byte at least.
    if (count > MAX_ELEMENTS || count > this.#limit - this.at) return this.#bad();
    const visitor = this.#visitor;
    for (let i = 0; i < count; i++) {
      if (structs) visitor?.enter(role);
      const whole = this.#fields(children);
      if (structs) visitor?.leave(role);
      if (!whole) return false;
    }
    return true;
  }

  #tags(): boolean {
    const count = this.#varint();
    if (this.result !== 'whole') return false;
    if (count > MAX_TAGS) return this.#bad();
    for (let i = 0; i < count; i++) {
      this.#varint();
      if (this.result !== 'whole') return false;
      const size = this.#varint();
      if (this.result !== 'whole' || !this.#take(size)) return false;
    }
    return true;
  }

  /** Length of a compact field: one more is on the wire, 0 is null (-1). */
  #compact(): number {
    return this.#varint() - 1;
  }

  #short(): number {
    const start = this.at;
    if (!this.#take(2)) return -1;
    const length = this.#bytes.readInt16BE(start);
    if (length < -1) this.#bad();
    return length;
  }

  #int(): number {
    const start = this.at;
    if (!this.#take(4)) return -1;
    const length = this.#bytes.readInt32BE(start);
    if (length < -1) this.#bad();
    return length;
  }

  #varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const start = this.at;
      if (!this.#take(1)) return 0;
      const byte = this.#bytes[start]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    this.#bad();
    return 0;
  }

  #take(count: number): boolean {
    const next = this.at + count;
    if (next > this.#limit) return this.#bad();
    if (next > this.#end) {
      this.result = 'cut';
      return false;
    }
    this.at = next;
    return true;
  }

  #bad(): false {
    this.result = 'bad';
    return false;
  }
}

function readInteger(bytes: Buffer, start: number, size: number): number {
  switch (size) {
    case 1:
      return bytes.readInt8(start);
    case 2:
      return bytes.readInt16BE(start);
    case 4:
      return bytes.readInt32BE(start);
    default:
      return bytes.readInt32BE(start) * 2 ** 32 + bytes.readUInt32BE(start + 4);
  }
}
