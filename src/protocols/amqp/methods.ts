/**
 * Methods of AMQP 0-9-1 (https://www.rabbitmq.com/resources/specs/amqp0-9-1.xml, with RabbitMQ's extensions
 * https://www.rabbitmq.com/docs/extensions): a class and a number, `basic.publish` is 60 and 40.
 */

export const CLASS = {
  connection: 10,
  channel: 20,
  exchange: 40,
  queue: 50,
  basic: 60,
  confirm: 85,
  tx: 90,
} as const;

/** `class << 16 | method` */
export const METHOD = {
  connectionStart: 0x0a000a,
  connectionStartOk: 0x0a000b,
  connectionSecure: 0x0a0014,
  connectionSecureOk: 0x0a0015,
  connectionTune: 0x0a001e,
  connectionTuneOk: 0x0a001f,
  connectionOpen: 0x0a0028,
  connectionOpenOk: 0x0a0029,
  connectionClose: 0x0a0032,
  connectionCloseOk: 0x0a0033,
  channelOpen: 0x14000a,
  channelFlow: 0x140014,
  channelFlowOk: 0x140015,
  channelClose: 0x140028,
  channelCloseOk: 0x140029,
  basicConsume: 0x3c0014,
  basicConsumeOk: 0x3c0015,
  basicCancel: 0x3c001e,
  basicCancelOk: 0x3c001f,
  basicPublish: 0x3c0028,
  basicReturn: 0x3c0032,
  basicDeliver: 0x3c003c,
  basicGet: 0x3c0046,
  basicGetOk: 0x3c0047,
  basicGetEmpty: 0x3c0048,
  basicAck: 0x3c0050,
  basicReject: 0x3c005a,
  basicNack: 0x3c0078,
  confirmSelect: 0x55000a,
} as const;

/** Requests that the server answers with the method one higher, and where a no-wait bit stands in them. */
export interface SyncMethod {
  readonly name: string;
  readonly id: number;
  /** Names in it that are read: `.` a reserved short integer, `x` exchange, `q` queue, `k` routing key, `c` consumer tag. */
  readonly fields: string;
  /** Bit of the octet behind `fields` that says: do not answer; -1 when there is none. */
  readonly noWait: number;
}

const sync = (id: number, name: string, fields = '', noWait = -1): SyncMethod => ({
  id,
  name,
  fields,
  noWait,
});

const SYNC: readonly SyncMethod[] = [
  sync(METHOD.channelOpen, 'channel.open'),
  sync(METHOD.channelFlow, 'channel.flow'),
  sync(METHOD.channelClose, 'channel.close'),
  sync(0x28000a, 'exchange.declare', '.xt', 4),
  sync(0x280014, 'exchange.delete', '.x', 1),
  sync(0x28001e, 'exchange.bind', '.xyk', 0),
  sync(0x280028, 'exchange.unbind', '.xyk', 0),
  sync(0x32000a, 'queue.declare', '.q', 4),
  sync(0x320014, 'queue.bind', '.qxk', 0),
  sync(0x320032, 'queue.unbind', '.qxk'),
  sync(0x32001e, 'queue.purge', '.q', 0),
  sync(0x320028, 'queue.delete', '.q', 2),
  sync(0x3c000a, 'basic.qos'),
  sync(METHOD.basicConsume, 'basic.consume', '.qc', 3),
  sync(METHOD.basicCancel, 'basic.cancel', 'c', 0),
  sync(METHOD.basicGet, 'basic.get', '.q'),
  sync(0x3c006e, 'basic.recover'),
  sync(METHOD.confirmSelect, 'confirm.select', '', 0),
  sync(0x5a000a, 'tx.select'),
  sync(0x5a0014, 'tx.commit'),
  sync(0x5a001e, 'tx.rollback'),
];

const BY_ID: ReadonlyMap<number, SyncMethod> = new Map(SYNC.map((method) => [method.id, method]));
export const syncMethod = (id: number): SyncMethod | undefined => BY_ID.get(id);

/** The request that `reply` answers; exchange.unbind-ok alone does not stand behind its request. */
export function requestOf(reply: number): number {
  if (reply === METHOD.basicGetEmpty) return METHOD.basicGet;
  return reply === 0x280033 ? 0x280028 : reply - 1;
}

const FROM_CLIENT = new Set<number>([
  METHOD.connectionStartOk,
  METHOD.connectionSecureOk,
  METHOD.connectionTuneOk,
  METHOD.connectionOpen,
  METHOD.basicPublish,
  METHOD.basicReject,
  ...SYNC.map(({ id }) => id),
]);
const FROM_SERVER = new Set<number>([
  METHOD.connectionStart,
  METHOD.connectionSecure,
  METHOD.connectionTune,
  METHOD.connectionOpenOk,
  METHOD.basicReturn,
  METHOD.basicDeliver,
  METHOD.basicGetOk,
  METHOD.basicGetEmpty,
  0x280033,
  ...SYNC.map(({ id }) => id + 1).filter((id) => id !== 0x280029),
]);
/** Either end sends them: acknowledgements, closing, and what a server may ask for too. */
const FROM_BOTH = new Set<number>([
  METHOD.connectionClose,
  METHOD.connectionCloseOk,
  METHOD.channelClose,
  METHOD.channelCloseOk,
  METHOD.channelFlow,
  METHOD.channelFlowOk,
  METHOD.basicCancel,
  METHOD.basicCancelOk,
  METHOD.basicAck,
  METHOD.basicNack,
  0x0a003c, // connection.blocked
  0x0a003d,
  0x0a0046, // connection.update-secret
  0x0a0047,
]);

/** Who sends it: 1 the client, -1 the server, 2 either; 0: there is no such method. */
export function senderOf(id: number): 1 | -1 | 2 | 0 {
  if (FROM_BOTH.has(id)) return 2;
  if (FROM_CLIENT.has(id)) return 1;
  return FROM_SERVER.has(id) ? -1 : 0;
}

export function methodName(classId: number, method: number): string {
  return BY_ID.get((classId << 16) | method)?.name ?? '';
}
