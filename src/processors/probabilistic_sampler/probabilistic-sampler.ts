import type { Settings } from '../../component/component.js';
import type { Batch } from '../../component/signal.js';
import { asString, parseFloat64 } from '../../go/values.js';
import { getAttribute, setAttribute } from '../../otlp/attribute-edit.js';
import { isZeroId } from '../../otlp/ids.js';
import { applyDecisions, type ItemDecision, walkItemNodes } from '../../otlp/item-walk.js';
import type { MessageNode } from '../../otlp/message-node.js';
import { field } from '../../otlp/wire-reader.js';
import type { Mapped } from '../../pipeline/map-processor.js';
import {
  ALWAYS,
  NEVER,
  parseRandomness,
  parseThreshold,
  randomnessText,
  thresholdOf,
  thresholdText,
} from '../../sampling/threshold.js';
import { formatTraceState, parseTraceState } from '../../sampling/trace-state.js';
import type { ProbabilisticSamplerConfig } from './config.js';
import { type Carrier, Sampler } from './sampler.js';

const { delimited } = field;
const SPAN = { traceId: delimited(1), traceState: delimited(3), attributes: delimited(9) };
const LOG = { traceId: delimited(9), attributes: delimited(6) };
const RANDOMNESS = 'sampling.randomness';
const THRESHOLD = 'sampling.threshold';

/** Keeps a part of the spans or log records, and tells later samplers with which probability. */
export function samplerMapper(
  { metrics }: Settings,
  config: ProbabilisticSamplerConfig,
  signal: 'traces' | 'logs',
): (batch: Batch) => Mapped {
  const sampler = new Sampler(config);
  const decide = signal === 'traces' ? decideSpan : decideLogRecord;
  return ({ bytes, itemCount }) => {
    const decisions: ItemDecision[] = [];
    walkItemNodes(bytes, (item) => decisions.push(decide(sampler, config, item)));
    const rest = applyDecisions(signal, bytes, decisions);
    metrics.count(`count_${signal}_sampled`, rest.itemCount, { sampled: 'true' });
    metrics.count(`count_${signal}_sampled`, itemCount - rest.itemCount, { sampled: 'false' });
    return { ...rest, dropped: { sampled_out: itemCount - rest.itemCount } };
  };
}

function idOf(item: MessageNode, tag: number): Uint8Array | undefined {
  const id = item.content(tag);
  return id.length === 16 && !isZeroId(id) ? id : undefined;
}

function decideSpan(sampler: Sampler, _config: ProbabilisticSamplerConfig, span: MessageNode): ItemDecision {
  const before = span.text(SPAN.traceState);
  const state = parseTraceState(before);
  const verdict = sampler.decide({
    traceId: idOf(span, SPAN.traceId),
    hashInput: undefined,
    carrier: state,
    marksMissing: true,
    priority: spanPriority(span),
  });
  if (!verdict.isKept) return false;
  const after = verdict.carrierChanged && state !== undefined ? formatTraceState(state) : before;
  if (after === before) return true;
  span.setText(SPAN.traceState, after);
  return span.encode();
}

/** The attribute `sampling.priority` of OpenTracing: 0 drops, more keeps. */
function spanPriority(span: MessageNode): bigint | undefined {
  const value = getAttribute(span, SPAN.attributes, 'sampling.priority');
  const number = typeof value === 'string' ? parseFloat64(value) : value;
  if (typeof number !== 'number' && typeof number !== 'bigint') return undefined;
  if (Number(number) === 0) return NEVER;
  return number > 0 ? ALWAYS : undefined;
}

function decideLogRecord(
  sampler: Sampler,
  config: ProbabilisticSamplerConfig,
  log: MessageNode,
): ItemDecision {
  const carrier = logCarrier(log);
  const attribute = config.from_attribute;
  const source = attribute === '' ? undefined : getAttribute(log, LOG.attributes, attribute);
  const input =
    source === undefined ? undefined : source instanceof Uint8Array ? source : Buffer.from(asString(source));
  const verdict = sampler.decide({
    traceId:
      config.attribute_source === 'traceID' || config.mode === 'equalizing' || config.mode === 'proportional'
        ? idOf(log, LOG.traceId)
        : undefined,
    hashInput: input !== undefined && input.length > 0 ? input : undefined,
    carrier,
    marksMissing: false,
    priority: logPriority(log, config.sampling_priority),
  });
  if (!verdict.isKept) return false;
  if (!verdict.carrierChanged || carrier === undefined) return true;
  if (carrier.randomness !== undefined && getAttribute(log, LOG.attributes, RANDOMNESS) === undefined) {
    if (config.mode !== 'equalizing' && config.mode !== 'proportional') {
      setAttribute(log, LOG.attributes, RANDOMNESS, randomnessText(carrier.randomness));
    }
  }
  if (carrier.threshold !== undefined) {
    setAttribute(log, LOG.attributes, THRESHOLD, thresholdText(carrier.threshold));
  }
  return log.isChanged ? log.encode() : true;
}

function logCarrier(log: MessageNode): Carrier | undefined {
  const text = (key: string) => {
    const value = getAttribute(log, LOG.attributes, key);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const [randomness, threshold] = [text(RANDOMNESS), text(THRESHOLD)];
  const carrier: Carrier = {
    randomness: randomness === undefined ? undefined : parseRandomness(randomness),
    threshold: threshold === undefined ? undefined : parseThreshold(threshold),
  };
  const broken =
    (randomness !== undefined && carrier.randomness === undefined) ||
    (threshold !== undefined && carrier.threshold === undefined);
  return broken ? undefined : carrier;
}

/** A percentage in an attribute. */
function logPriority(log: MessageNode, attribute: string): bigint | undefined {
  if (attribute === '') return undefined;
  const value = getAttribute(log, LOG.attributes, attribute);
  if (typeof value !== 'number' && typeof value !== 'bigint') return undefined;
  const probability = Number(value) / 100;
  return probability === 0 ? NEVER : thresholdOf(probability, 4);
}
