/** THE list of protocols: one line each, alphabetical. The order does not matter to recognition. */
import { amqpProtocol } from './amqp/protocol.js';
import { cassandraProtocol } from './cassandra/protocol.js';
import { dnsProtocol } from './dns/protocol.js';
import { dubboProtocol } from './dubbo/protocol.js';
import { http1Protocol } from './http1/protocol.js';
import { http2Protocol } from './http2/protocol.js';
import { kafkaProtocol } from './kafka/protocol.js';
import { memcachedProtocol } from './memcached/protocol.js';
import { mongodbProtocol } from './mongodb/protocol.js';
import { mqttProtocol } from './mqtt/protocol.js';
import { mysqlProtocol } from './mysql/protocol.js';
import { natsProtocol } from './nats/protocol.js';
import { postgresqlProtocol } from './postgresql/protocol.js';
import type { AnyProtocol } from './protocol.js';
import { redisProtocol } from './redis/protocol.js';
import { rocketMqProtocol } from './rocketmq/protocol.js';
import { tlsProtocol } from './tls/protocol.js';

export const PROTOCOLS: readonly AnyProtocol[] = [
  amqpProtocol,
  cassandraProtocol,
  dnsProtocol,
  dubboProtocol,
  http1Protocol,
  http2Protocol,
  kafkaProtocol,
  memcachedProtocol,
  mongodbProtocol,
  mqttProtocol,
  mysqlProtocol,
  natsProtocol,
  postgresqlProtocol,
  redisProtocol,
  rocketMqProtocol,
  tlsProtocol,
];
