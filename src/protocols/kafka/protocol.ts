/** Kafka and what speaks its protocol (Redpanda, AutoMQ, Event Hubs). */
import { CERTAIN, LIKELY, NOT_OURS, POSSIBLE, type Protocol, UNDECIDED, type Verdict } from '../protocol.js';
import { CONTEXT_HEADERS } from '../trace-context/carriers.js';
import { describeKafka, KAFKA_ATTRIBUTES, type KafkaDetail } from './detail.js';
import { KafkaFacts } from './facts.js';
import { LENGTH_BYTES, messageLength, readRequestHeader, requestLength } from './header.js';
import { LayoutWalk } from './layout.js';
import { KafkaParser } from './parser.js';
import { TopicIds } from './topic-ids.js';

/** One for the thread: ids of topics are unique, and learnt on other connections than they are used on. */
const ids = new TopicIds();
const walk = new LayoutWalk();
const facts = new KafkaFacts();

export const kafkaProtocol: Protocol<KafkaDetail> = {
  name: 'kafka',
  title: 'Apache Kafka',
  convention: 'messaging',
  system: 'kafka',
  transports: ['tcp'],
  ports: [9092, 9093, 9094, 19_092, 29_092],
  pairing: 'by_id',
  serverFirst: false,
  carriers: CONTEXT_HEADERS.map((header) => `record header \`${header}\``),
  capture: { request: { head: 1024, tail: 0 }, response: { head: 1024, tail: 0 } },
  docs: {
    parsed:
      'Every request of Apache Kafka 0.8 to 4.4 in every version, also flexible ones: topics by name and by id, partitions, groups, record batches and message sets, fetch sessions, `acks=0` (one-way), SASL; Fetch, ShareFetch, JoinGroup and SyncGroup that may wait are shown as waiting',
    spanName:
      '`send {topic}`, `poll {topic}`, `commit {topic}`; other requests `{request}` or `{request} {topic}`; without a topic when there are several',
    attributes: KAFKA_ATTRIBUTES,
    errors:
      'the first error code of a response, of the request or of one of its topics and partitions, by its name (`UNKNOWN_TOPIC_OR_PARTITION`); `no_response`, `reset`',
    limits: [
      'Topics that are named by id get their name from a Metadata, CreateTopics or DescribeTopicPartitions response on any connection; until one was seen they have none.',
      'Compressed batches are noted (`kindling.compression`) and not read: their records carry no trace context. Of a batch the first record is read, where its headers were captured.',
      "The contexts in fetched records do not become the context of the Fetch, which is nobody's child.",
      'Errors and counts of records beyond what was captured are not seen; requests newer than the table are named `Api{key}`.',
      'Joined in the middle of a fetch session, a Fetch is named by the topic in its answer.',
    ],
  },

  recognise,
  createParser: (host) => new KafkaParser(host, ids),
  describe: (exchange, span) => describeKafka(exchange, span, ids),
};

function recognise(
  bytes: Buffer,
  start: number,
  end: number,
  from: 'client' | 'server' | undefined,
): Verdict {
  const length = requestLength(bytes, start, end);
  if (length === 0) return end - start < 8 && from !== 'server' ? UNDECIDED : NOT_OURS;
  if (from !== 'server' && length > 0) {
    const verdict = requestVerdict(bytes, start, end, length);
    if (verdict !== NOT_OURS) return verdict;
  }
  if (from !== 'server') return NOT_OURS;
  // A length and an id: enough to agree with a request that was seen before.
  return messageLength(bytes, start, end, LENGTH_BYTES) === end - start ? -20 : NOT_OURS;
}

function requestVerdict(bytes: Buffer, start: number, end: number, length: number): Verdict {
  const header = readRequestHeader(bytes, start, end);
  if (header === undefined) return end - start < 14 ? UNDECIDED : NOT_OURS;
  const { api, version, body, correlation } = header;
  const limit = start + length;
  if (api?.knows(version) !== true) return correlation >= 0 && correlation < 0x10_0000 ? UNDECIDED : NOT_OURS;
  if (body > end) return correlation >= 0 ? POSSIBLE : NOT_OURS;
  facts.reset();
  walk.run(api.request(version), version >= api.flexible, bytes, body, Math.min(end, limit), limit, facts);
  if (walk.result === 'bad') return NOT_OURS;
  if (!facts.topics.every(({ name }) => isTopicName(name)) || facts.acks < -1 || facts.acks > 1)
    return NOT_OURS;
  // Every field fits and they end where the message ends.
  if (walk.result === 'whole') return walk.at === limit ? sure(body, start, correlation) : NOT_OURS;
  return facts.topics.length > 0 ? 90 : LIKELY;
}

/** Messages without a body and with odd ids are shorter than what could not be chance. */
function sure(body: number, start: number, correlation: number): Verdict {
  if (body - start > 16) return CERTAIN;
  return correlation >= 0 && correlation < 0x100_0000 ? 85 : POSSIBLE;
}

/** Letters, digits, `.`, `_` and `-` (org.apache.kafka.common.internals.Topic). */
function isTopicName(name: string): boolean {
  if (name.length > 249) return false;
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    const lower = code | 0x20;
    if (lower >= 0x61 && lower <= 0x7a) continue;
    if (code < 0x2d || code > 0x39 || code === 0x2f) if (code !== 0x5f) return false;
  }
  return true;
}
