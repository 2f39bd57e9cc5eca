/**
 * AMQP 0-9-1 of one connection: many channels, on each of which
 *
 *     client  method ──► server  method-ok                         in order
 *     client  publish, header, body ──► server  ack or nack        by delivery tag, once the channel confirms; else one-way
 *     server  deliver, header, body ──► client  ack, nack, reject  by delivery tag, unless the consumer acknowledges nothing
 *
 * One acknowledgement may be for many messages. A close by the server names the method that it objects to.
 */
import { ByteCursor } from '../byte-cursor.js';
import type { WireExchange } from '../exchange.js';
import { type Frame, type FrameFormat, FrameReader } from '../frame-reader.js';
import type { MessageExtent, Moment, ParserHost, ProtocolParser } from '../protocol.js';
import { HeaderValues } from '../trace-context/header-values.js';
import { Channel, type Content } from './channel.js';
import { createProperties, readProperties } from './content.js';
import { AmqpDetail } from './detail.js';
import { amqpLength, FRAME, FRAME_END, FRAME_EXTRA, FRAME_HEADER, frameSender } from './frames.js';
import { METHOD, methodName, requestOf, type SyncMethod, syncMethod } from './methods.js';

/** Bytes of a frame that are kept: enough for the properties of a message. */
const KEEP_BYTES = 4096;
/** RabbitMQ's channel_max. */
const MAX_CHANNELS = 2047;

export class AmqpParser implements ProtocolParser, FrameFormat {
  readonly keepBytes = KEEP_BYTES;
  readonly #host: ParserHost<AmqpDetail>;
  readonly #client: FrameReader;
  readonly #server: FrameReader;
  readonly #channels = new Map<number, Channel>();
  readonly #cursor = new ByteCursor();
  readonly #context = new HeaderValues();
  readonly #properties = createProperties();
  /** The queue that was declared last: an empty name means that one (section 1.7.2.1). */
  #lastQueue = '';
  #login: WireExchange<AmqpDetail> | undefined;

  constructor(host: ParserHost<AmqpDetail>) {
    this.#host = host;
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
    return amqpLength(bytes, start, end);
  }

  startsFrame(fromClient: boolean, bytes: Buffer, start: number, end: number): boolean {
    const sender = frameSender(bytes, start, end);
    return sender === 2 || sender === (fromClient ? 1 : -1);
  }

  badFrame(fromClient: boolean): void {
    this.#host.malformed();
    this.missedFrames(fromClient);
  }

  missedFrames(fromClient: boolean): void {
    for (const channel of this.#channels.values()) {
      if (fromClient) {
        this.#endContent(channel, 'sending', true);
        // Nobody knows how many messages were published.
        channel.nextPublish = 0;
      } else {
        this.#endContent(channel, 'receiving', true);
        channel.missedReplies = true;
        if (channel.calls.size > 1) channel.calls.dropAll('not_captured');
      }
    }
  }

  frame(fromClient: boolean, frame: Frame): void {
    const { bytes, start, end, length } = frame;
    const type = bytes[start]!;
    if (end - start < FRAME_HEADER || type === FRAME.heartbeat) return;
    if (end - start === length && bytes[end - 1] !== FRAME_END && type <= FRAME.body) {
      (fromClient ? this.#client : this.#server).lose();
      this.badFrame(fromClient);
      return;
    }
    const channel = this.#channel((bytes[start + 1]! << 8) | bytes[start + 2]!);
    if (channel === undefined) return;
    const cursor = this.#cursor.at(bytes, start + FRAME_HEADER, Math.min(end, start + length - 1));
    if (type === FRAME.method) this.#method(fromClient, channel, frame, cursor);
    else if (type === FRAME.header) this.#header(fromClient, channel, frame, cursor);
    else if (type === FRAME.body) this.#body(fromClient, channel, frame);
  }

  #channel(number: number): Channel | undefined {
    let channel = this.#channels.get(number);
    if (channel === undefined && this.#channels.size < MAX_CHANNELS) {
      channel = new Channel(this.#host);
      this.#channels.set(number, channel);
    }
    return channel;
  }

  #method(fromClient: boolean, channel: Channel, frame: Frame, cursor: ByteCursor): void {
    const classId = cursor.u16();
    const id = (classId << 16) | cursor.u16();
    if (!cursor.ok) return;
    // A message whose rest was not seen ends where the next method begins.
    this.#endContent(channel, fromClient ? 'sending' : 'receiving', true);
    if (fromClient) this.#fromClient(id, channel, frame, cursor);
    else this.#fromServer(id, channel, frame, cursor);
  }

  // From the client

  #fromClient(id: number, channel: Channel, frame: Frame, cursor: ByteCursor): void {
    switch (id) {
      case METHOD.connectionStartOk:
        this.#login = this.#host.begin(new AmqpDetail('connect', 'control'), frame);
        return;
      case METHOD.basicPublish: {
        const detail = new AmqpDetail('publish', 'send');
        cursor.skip(2);
        detail.exchange = cursor.shortText();
        detail.routingKey = cursor.shortText();
        detail.mandatory = (cursor.u8() & 1) === 1;
        if (channel.nextPublish > 0) detail.deliveryTag = channel.nextPublish++;
        channel.sending = content('publish', detail, frame);
        return;
      }
      case METHOD.basicAck:
        this.#settle(channel, 'ack', cursor.u64(), (cursor.u8() & 1) === 1, frame);
        return;
      case METHOD.basicNack:
        this.#settle(channel, 'nack', cursor.u64(), (cursor.u8() & 1) === 1, frame);
        return;
      case METHOD.basicReject:
        this.#settle(channel, 'reject', cursor.u64(), false, frame);
        return;
      case METHOD.connectionClose:
        channel.calls.begin(new AmqpDetail('connection.close', 'control', id), frame);
        return;
      default: {
        const method = syncMethod(id);
        if (method !== undefined) this.#call(method, channel, frame, cursor);
      }
    }
  }

  #call(method: SyncMethod, channel: Channel, frame: Frame, cursor: ByteCursor): void {
    const isGet = method.id === METHOD.basicGet;
    const detail = isGet
      ? new AmqpDetail('get', 'receive', method.id)
      : new AmqpDetail(method.name, 'control', method.id);
    for (const field of method.fields) {
      if (field === '.') cursor.skip(2);
      else {
        const text = cursor.shortText();
        if (field === 'x') detail.exchange = text;
        else if (field === 'q')
          detail.queue = text === '' && method.name !== 'queue.declare' ? this.#lastQueue : text;
        else if (field === 'k') detail.routingKey = text;
        else if (field === 'c') detail.consumerTag = text;
      }
    }
    const bits = cursor.u8();
    detail.noAck = method.id === METHOD.basicConsume ? (bits & 2) !== 0 : isGet && (bits & 1) !== 0;
    if (method.id === METHOD.confirmSelect) channel.nextPublish = 1;
    const consumer = { queue: detail.queue, noAck: detail.noAck };
    if (method.id === METHOD.basicConsume && detail.consumerTag !== '')
      channel.consume(detail.consumerTag, consumer);
    if (cursor.ok && method.noWait >= 0 && (bits & (1 << method.noWait)) !== 0) {
      this.#host.finish(this.#host.begin(detail, frame), undefined);
    } else channel.calls.begin(detail, frame);
  }

  /** The client acknowledges what was delivered or fetched. */
  #settle(
    channel: Channel,
    operation: 'ack' | 'nack' | 'reject',
    tag: number,
    multiple: boolean,
    frame: Frame,
  ): void {
    channel.acknowledges = true;
    for (const exchange of channel.acknowledged(channel.delivered, tag, multiple)) {
      if (operation !== 'ack') exchange.detail.errorCode = operation;
      this.#host.finish(exchange, frame);
    }
    const fetched = channel.takeFetched(tag);
    if (fetched === undefined) return;
    const detail = new AmqpDetail(operation, 'settle');
    detail.exchange = fetched.exchange;
    detail.routingKey = fetched.routingKey;
    detail.queue = fetched.queue;
    detail.deliveryTag = tag;
    this.#host.finish(this.#host.begin(detail, frame), undefined);
  }

  // From the server

  #fromServer(id: number, channel: Channel, frame: Frame, cursor: ByteCursor): void {
    switch (id) {
      case METHOD.connectionOpenOk:
        if (this.#login !== undefined) this.#host.finish(this.#login, frame);
        this.#login = undefined;
        return;
      case METHOD.connectionStart:
      case METHOD.connectionSecure:
      case METHOD.connectionTune:
      case METHOD.basicCancel:
        return;
      case METHOD.basicDeliver:
        this.#deliver(channel, frame, cursor);
        return;
      case METHOD.basicGetOk:
        this.#fetched(channel, frame, cursor);
        return;
      case METHOD.basicReturn:
        this.#returned(channel, frame, cursor);
        return;
      case METHOD.basicAck:
      case METHOD.basicNack: {
        const tag = cursor.u64();
        const multiple = (cursor.u8() & 1) === 1;
        for (const exchange of channel.acknowledged(channel.published, tag, multiple)) {
          if (id === METHOD.basicNack && exchange.detail.errorCode === '') exchange.detail.errorCode = 'nack';
          this.#host.finish(exchange, frame);
        }
        return;
      }
      case METHOD.channelClose:
      case METHOD.connectionClose:
        this.#closed(id, channel, frame, cursor);
        return;
      default:
        this.#answer(id, channel, frame, cursor);
    }
  }

  #answer(id: number, channel: Channel, frame: Frame, cursor: ByteCursor): void {
    const exchange = this.#take(channel, requestOf(id));
    if (exchange === undefined) return;
    const { detail } = exchange;
    if (id === METHOD.basicConsumeOk) {
      const tag = cursor.shortText();
      channel.consume(tag, { queue: detail.queue, noAck: detail.noAck });
    } else if (id === METHOD.basicCancelOk) channel.cancel(detail.consumerTag);
    else if (detail.operation === 'queue.declare') {
      if (detail.queue === '') detail.queue = cursor.shortText();
      this.#lastQueue = detail.queue;
    }
    this.#host.finish(exchange, frame);
    if (id === METHOD.channelCloseOk) this.#forget(channel);
    else if (id === METHOD.connectionCloseOk) this.#forgetAll();
  }

  /** The call of that method that comes first; those before it were answered out of sight. */
  #take(channel: Channel, method: number): WireExchange<AmqpDetail> | undefined {
    const { calls } = channel;
    if (!calls.some((detail) => detail.method === method)) {
      if (methodName(method >> 16, method & 0xffff) !== '') this.#host.missed(this.#missing, 1);
      return undefined;
    }
    for (let exchange = calls.shift(); exchange !== undefined; exchange = calls.shift()) {
      if (exchange.detail.method === method) {
        channel.missedReplies = false;
        return exchange;
      }
      this.#host.drop(exchange, 'not_captured');
    }
    return undefined;
  }

  get #missing(): 'joined_in_middle' | 'not_captured' {
    return this.#host.facts.fromStart ? 'not_captured' : 'joined_in_middle';
  }

  #deliver(channel: Channel, frame: Frame, cursor: ByteCursor): void {
    const detail = new AmqpDetail('deliver', 'process');
    detail.consumerTag = cursor.shortText();
    detail.deliveryTag = cursor.u64();
    cursor.skip(1);
    detail.exchange = cursor.shortText();
    detail.routingKey = cursor.shortText();
    const consumer = channel.consumer(detail.consumerTag);
    detail.queue = consumer?.queue ?? '';
    detail.noAck = consumer?.noAck ?? !channel.acknowledges;
    channel.receiving = content('deliver', detail, frame);
  }

  #fetched(channel: Channel, frame: Frame, cursor: ByteCursor): void {
    const exchange = this.#take(channel, METHOD.basicGet);
    if (exchange === undefined) return;
    const { detail } = exchange;
    detail.deliveryTag = cursor.u64();
    cursor.skip(1);
    detail.exchange = cursor.shortText();
    detail.routingKey = cursor.shortText();
    if (!detail.noAck) channel.fetched(detail.deliveryTag, detail);
    channel.receiving = { ...content('get', detail, frame), exchange };
  }

  #returned(channel: Channel, frame: Frame, cursor: ByteCursor): void {
    const detail = new AmqpDetail('return', 'control');
    detail.errorCode = String(cursor.u16());
    detail.errorText = cursor.shortText();
    detail.exchange = cursor.shortText();
    detail.routingKey = cursor.shortText();
    for (const { detail: sent } of channel.published.values()) {
      if (!sent.mandatory || sent.errorCode !== '') continue;
      if (sent.exchange !== detail.exchange || sent.routingKey !== detail.routingKey) continue;
      sent.errorCode = detail.errorCode;
      sent.errorText = detail.errorText;
      return;
    }
    channel.receiving = content('return', detail, frame);
  }

  /** The server closes a channel or the connection, because of a method or for reasons of its own. */
  #closed(id: number, channel: Channel, frame: Frame, cursor: ByteCursor): void {
    const code = String(cursor.u16());
    const text = cursor.shortText();
    const method = (cursor.u16() << 16) | cursor.u16();
    const blamed = this.#blamed(id, channel, method);
    const isClose = blamed === undefined;
    const exchange =
      blamed ??
      this.#host.begin(
        new AmqpDetail(id === METHOD.channelClose ? 'channel.close' : 'connection.close', 'control'),
        frame,
      );
    if (isClose) exchange.pushed = true;
    if (code !== '200') {
      exchange.detail.errorCode = code;
      exchange.detail.errorText = text;
    }
    this.#host.finish(exchange, isClose ? undefined : frame);
    if (id === METHOD.channelClose) this.#forget(channel);
    else this.#forgetAll();
  }

  #blamed(id: number, channel: Channel, method: number): WireExchange<AmqpDetail> | undefined {
    if (this.#login !== undefined && id === METHOD.connectionClose) {
      const login = this.#login;
      this.#login = undefined;
      return login;
    }
    const channels = id === METHOD.channelClose ? [channel] : this.#channels.values();
    for (const { calls, published } of channels) {
      if (method === METHOD.basicPublish) {
        const [first] = published.values();
        if (first !== undefined) return first;
      } else if (calls.first?.detail.method === method) return calls.shift();
    }
    return undefined;
  }

  /** Nothing that is open on the channel will be answered. */
  #forget(channel: Channel): void {
    this.#endContent(channel, 'sending', true);
    this.#endContent(channel, 'receiving', true);
    const end = (exchange: WireExchange<AmqpDetail>) => {
      if (channel.missedReplies) this.#host.drop(exchange, 'not_captured');
      else this.#host.finish(exchange, undefined, 'reset');
    };
    for (const open of [channel.published, channel.delivered]) {
      for (const exchange of open.values()) end(exchange);
      open.clear();
    }
    for (let exchange = channel.calls.shift(); exchange !== undefined; exchange = channel.calls.shift()) {
      end(exchange);
    }
    for (const [number, known] of this.#channels) if (known === channel) this.#channels.delete(number);
  }

  #forgetAll(): void {
    for (const channel of [...this.#channels.values()]) this.#forget(channel);
  }

  // Messages

  #header(fromClient: boolean, channel: Channel, frame: Frame, cursor: ByteCursor): void {
    const message = fromClient ? channel.sending : channel.receiving;
    if (message === undefined || message.bodyLeft >= 0) return;
    const { detail } = message;
    grow(message, frame);
    const seen = readProperties(cursor, this.#properties, this.#context);
    message.bodyLeft = seen ? this.#properties.bodyBytes : Number.POSITIVE_INFINITY;
    if (seen) {
      detail.bodyBytes = this.#properties.bodyBytes;
      detail.messageId = this.#properties.messageId;
      detail.correlationId = this.#properties.correlationId;
    }
    this.#beginMessage(channel, message);
    if (message.kind !== 'get') message.exchange!.context = this.#context.context();
    if (message.bodyLeft === 0) this.#endContent(channel, fromClient ? 'sending' : 'receiving', false);
  }

  #beginMessage(channel: Channel, message: Content): void {
    if (message.exchange !== undefined) return;
    const { detail, kind } = message;
    const exchange = this.#host.begin(detail, message);
    message.exchange = exchange;
    exchange.pushed = kind !== 'publish';
    if (kind === 'publish' && detail.deliveryTag > 0)
      this.#await(channel.published, detail.deliveryTag, exchange);
  }

  #body(fromClient: boolean, channel: Channel, frame: Frame): void {
    const message = fromClient ? channel.sending : channel.receiving;
    if (message === undefined || message.bodyLeft < 0) return;
    message.bodyLeft -= frame.length - FRAME_EXTRA;
    grow(message, frame);
    if (message.kind !== 'get') message.exchange!.requestGrew(frame.last, frame.length);
    if (message.bodyLeft <= 0) this.#endContent(channel, fromClient ? 'sending' : 'receiving', false);
  }

  /** A message is complete, or (`cut`) its rest was not seen. */
  #endContent(channel: Channel, direction: 'sending' | 'receiving', cut: boolean): void {
    const message = channel[direction];
    if (message === undefined) return;
    channel[direction] = undefined;
    this.#beginMessage(channel, message);
    const { detail, kind } = message;
    const exchange = message.exchange!;
    const incomplete = cut && message.bodyLeft !== Number.POSITIVE_INFINITY ? 'gap' : undefined;
    if (kind === 'get') this.#host.finish(exchange, message, incomplete);
    else if (kind === 'deliver' && !detail.noAck)
      this.#await(channel.delivered, detail.deliveryTag, exchange);
    else if (kind !== 'publish' || detail.deliveryTag === 0)
      this.#host.finish(exchange, undefined, incomplete);
  }

  /** Waits for the acknowledgement of `tag`. */
  #await(open: Map<number, WireExchange<AmqpDetail>>, tag: number, exchange: WireExchange<AmqpDetail>): void {
    if (open.size >= this.#host.options.maxOpen) {
      for (const [oldest, lost] of open) {
        this.#host.drop(lost, 'over_limit');
        open.delete(oldest);
        break;
      }
    }
    const known = open.get(tag);
    if (known !== undefined) this.#host.drop(known, 'not_captured');
    open.set(tag, exchange);
  }
}

function content(kind: Content['kind'], detail: AmqpDetail, frame: MessageExtent): Content {
  return {
    kind,
    detail,
    first: { ...frame.first },
    last: { ...frame.last },
    length: frame.length,
    gap: frame.gap,
    bodyLeft: -1,
    exchange: undefined,
  };
}

function grow(message: Content, frame: MessageExtent): void {
  message.last = { ...frame.last };
  message.length += frame.length;
  message.gap ||= frame.gap;
}
