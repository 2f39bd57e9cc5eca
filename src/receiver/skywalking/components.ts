/**
 * What SkyWalking calls components: the library or the server that a span is about, by number.
 * Source: https://github.com/apache/skywalking/blob/v10.2.0/oap-server/server-starter/src/main/resources/component-libraries.yml
 */

const DATABASES: Readonly<Record<number, string>> = {
  4: 'h2database',
  5: 'mysql',
  6: 'oracle.db',
  9: 'mongodb',
  22: 'postgresql',
  31: 'sqlite',
  32: 'h2database',
  33: 'mysql',
  34: 'oracle.db',
  37: 'postgresql',
  42: 'mongodb',
  47: 'elasticsearch',
  48: 'elasticsearch',
};

const CACHES: Readonly<Record<number, string>> = {
  7: 'redis',
  20: 'memcached',
  30: 'redis',
  35: 'memcached',
  36: 'memcached',
  56: 'redis',
  57: 'redis',
};

const MESSAGING: Readonly<Record<number, string>> = {
  25: 'rocketmq',
  27: 'kafka',
  38: 'rocketmq',
  39: 'rocketmq',
  40: 'kafka',
  41: 'kafka',
  44: 'activemq',
  45: 'activemq',
  46: 'activemq',
  51: 'rabbitmq',
  52: 'rabbitmq',
  53: 'rabbitmq',
};

const RPC: Readonly<Record<number, string>> = { 3: 'dubbo', 8: 'motan', 23: 'grpc', 43: 'sofa_rpc' };

const LAYERS = ['Unknown', 'Database', 'RPCFramework', 'Http', 'MQ', 'Cache', 'FAAS'] as const;
export const LAYER = { mq: 4 } as const;

export const layerName = (layer: number): string => LAYERS[layer] ?? String(layer);

/** The attribute that names the other side's system, where the component says which it is. */
export function systemOf(componentId: number): readonly [key: string, value: string] | undefined {
  const database = DATABASES[componentId] ?? CACHES[componentId];
  if (database !== undefined) return ['db.system.name', database];
  const messaging = MESSAGING[componentId];
  if (messaging !== undefined) return ['messaging.system', messaging];
  const rpc = RPC[componentId];
  return rpc === undefined ? undefined : ['rpc.system', rpc];
}
