/**
 * RocketMQ of one connection (to a broker or a name server): requests and responses by their `opaque`, counted by each end
 * for itself; a flag says that nobody answers. Brokers ask clients, too.
 */
import { ByteCursor } from '../byte-cursor.js';
import { type Frame, type FrameFormat, FrameReader } from '../frame-reader.js';
import { IdPairing } from '../pairing.js';
import type { Moment, ParserHost, ProtocolParser } from '../protocol.js';
import { HeaderValues } from '../trace-context/header-values.js';
import { errorName, isShort, mayWait, requestKind } from './codes.js';
import type { MessageFacts, RocketMqDetail } from './detail.js';
import {
  commandLength,
  createHeader,
  FLAG,
  headerLength,
  isCommand,
  PREFIX_BYTES,
  readHeader,
} from './header.js';

/** Bytes of a command that are kept: a header with the properties of a message. */
const KEEP_BYTES = 8192;
const SUSPEND = 0x2;
const REMARK_BYTES = 256;
const WANTED: ReadonlySet<string> = new Set([
  'topic',
  'b',
  'consumerGroup',
  'group',
  'queueId',
  'e',
  'properties',
  'i',
  'batch',
  'm',
  'ns',
  'namespace',
  'sysFlag',
  'suspendTimeoutMillis',
  'pollTime',
]);

export class RocketMqParser implements ProtocolParser, FrameFormat {
  readonly keepBytes = KEEP_BYTES;
  readonly #host: ParserHost<RocketMqDetail>;
  readonly #client: FrameReader;
  readonly #server: FrameReader;
  readonly #asked: IdPairing<RocketMqDetail>;
  readonly #askedByServer: IdPairing<RocketMqDetail>;
  readonly #cursor = new ByteCursor();
  readonly #header = createHeader();
  readonly #context = new HeaderValues();
  #began = false;

  constructor(host: ParserHost<RocketMqDetail>) {
    this.#host = host;
    this.#asked = new IdPairing(host);
    this.#askedByServer = new IdPairing(host);
    this.#client = new FrameReader(this, true, !host.facts.fromStart);
    this.#server = new FrameReader(this, false, !host.facts.fromStart);
  }

  read(fromClient: boolean, bytes: Buffer, start: number, end: number, at: Moment): void {
    (fromClient ? this.#client : this.#server).read(bytes, start, end, at);
  }

  skip(fromClient: boolean, count: number, lost: boolean, at: Moment): void {
    (fromClient ? this.#client : this.#server).skip(count, lost, at);
  }

  frameLength(_: boolean, bytes: Buffer, start: number, end: number): number {
    return commandLength(bytes, start, end);
  }

  startsFrame(_: boolean, bytes: Buffer, start: number, end: number): boolean {
    return commandLength(bytes, start, end) > 0 && isCommand(bytes, start, end);
  }

  badFrame(): void {
    this.#host.malformed();
  }

  /** Commands are found by their numbers: nothing need be given up. */
  missedFrames(): void {}

  frame(fromClient: boolean, frame: Frame): void {
    const { bytes, start, end } = frame;
    const header = this.#header;
    if (end - start < PREFIX_BYTES) return;
    if (!readHeader(this.#cursor.at(bytes, start, end), header, WANTED)) {
      const whole = start + PREFIX_BYTES + headerLength(bytes, start) <= end;
      if (whole) this.#host.malformed();
      else this.#host.missed('not_captured', 1);
      return;
    }
    if ((header.flag & FLAG.response) === 0) this.#request(fromClient, frame);
    else this.#response(fromClient, frame);
  }

  #request(fromClient: boolean, frame: Frame): void {
    this.#began = true;
    const { code, flag, opaque, fields } = this.#header;
    const detail = this.#detail(frame);
    const pairing = fromClient ? this.#asked : this.#askedByServer;
    const oneWay = (flag & FLAG.oneWay) !== 0;
    const exchange = oneWay ? this.#host.begin(detail, frame) : pairing.begin(opaque, detail, frame);
    exchange.pushed = !fromClient;
    exchange.context = detail.message === undefined ? undefined : this.#context.context();
    exchange.waiting = mayWait(code) && waits(fields);
    if (oneWay) this.#host.finish(exchange, undefined);
  }

  #detail(frame: Frame): RocketMqDetail {
    const { code, fields } = this.#header;
    const { operation, type } = requestKind(code);
    const short = isShort(code);
    const full = fields.get(short ? 'b' : 'topic') ?? '';
    const percent = full.startsWith('%') ? -1 : full.indexOf('%');
    const properties = fields.get(short ? 'i' : 'properties');
    const isSend = type === 'send';
    const isBatch = code === 320 || fields.get(short ? 'm' : 'batch') === 'true';
    return {
      operation,
      type,
      topic: full.slice(percent + 1),
      namespace: percent > 0 ? full.slice(0, percent) : (fields.get('ns') ?? fields.get('namespace') ?? ''),
      group: isSend ? '' : (fields.get('consumerGroup') ?? fields.get('group') ?? ''),
      queue: fields.get(short ? 'e' : 'queueId') ?? '',
      bodyBytes:
        isSend && !isBatch ? frame.length - PREFIX_BYTES - headerLength(frame.bytes, frame.start) : -1,
      message: isSend && !isBatch && properties !== undefined ? this.#message(properties) : undefined,
      errorCode: '',
      errorText: '',
    };
  }

  /** `name 0x01 value 0x02 …`; the context is a property like any other. */
  #message(properties: string): MessageFacts {
    const found: Record<string, string> = {};
    this.#context.clear();
    for (let at = 0; at < properties.length; ) {
      const stop = properties.indexOf('\u0002', at);
      const end = stop < 0 ? properties.length : stop;
      const middle = properties.indexOf('\u0001', at);
      if (middle > at && middle < end) {
        const name = properties.slice(at, middle);
        const value = properties.slice(middle + 1, end);
        if (MESSAGE_PROPERTIES.has(name)) found[name] = value;
        else this.#context.put(name, value);
      }
      at = end + 1;
    }
    return {
      id: found['UNIQ_KEY'] ?? '',
      tag: found['TAGS'] ?? '',
      keys: found['KEYS'] ?? '',
      shardingKey: found['__SHARDINGKEY'] ?? '',
      delayLevel: found['DELAY'] ?? '',
      deliveryTime: found['TIMER_DELIVER_MS'] ?? '',
      transaction: found['TRAN_MSG'] === 'true',
    };
  }

  #response(fromClient: boolean, frame: Frame): void {
    const { code, opaque, remark } = this.#header;
    const exchange = (fromClient ? this.#askedByServer : this.#asked).take(opaque);
    if (exchange === undefined) {
      this.#host.missed(this.#began ? 'not_captured' : 'joined_in_middle', 1);
      return;
    }
    const { detail } = exchange;
    detail.errorCode = errorName(code);
    if (detail.errorCode !== '') detail.errorText = remark.split('\n', 1)[0]!.slice(0, REMARK_BYTES);
    this.#host.finish(exchange, frame);
  }
}

const MESSAGE_PROPERTIES = new Set([
  'UNIQ_KEY',
  'TAGS',
  'KEYS',
  '__SHARDINGKEY',
  'DELAY',
  'TIMER_DELIVER_MS',
  'TRAN_MSG',
]);

/** A pull that the broker may keep until there is a message, or a pop with a time to wait. */
function waits(fields: ReadonlyMap<string, string>): boolean {
  if (Number(fields.get('pollTime') ?? 0) > 0) return true;
  return (
    (Number(fields.get('sysFlag') ?? 0) & SUSPEND) !== 0 &&
    Number(fields.get('suspendTimeoutMillis') ?? 0) > 0
  );
}
