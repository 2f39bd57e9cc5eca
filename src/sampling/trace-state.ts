/**
 * The member `ot` of a W3C tracestate: `ot=rv:RANDOMNESS;th:THRESHOLD;…,other=…`.
 * Source: https://opentelemetry.io/docs/specs/otel/trace/tracestate-handling/
 */
import { parseRandomness, parseThreshold, randomnessText, thresholdText } from './threshold.js';

export interface SamplingState {
  randomness: bigint | undefined;
  threshold: bigint | undefined;
  /** Other fields of `ot`, and other members, as they came. */
  readonly otherFields: readonly string[];
  readonly otherMembers: readonly string[];
}

const MEMBER =
  /^(?:[a-z][a-z0-9\-*/_]*|[a-z0-9][a-z0-9\-*/_]*@[a-z][a-z0-9\-*/_]*)=[\x20-\x2b\x2d-\x3c\x3e-\x7e]*$/;
const FIELD = /^[a-z][a-z0-9]*:[\w.-]*$/;

/** Undefined when it is no valid tracestate. */
export function parseTraceState(text: string): SamplingState | undefined {
  const otherMembers: string[] = [];
  const otherFields: string[] = [];
  let randomness: bigint | undefined;
  let threshold: bigint | undefined;
  for (const part of text.split(',')) {
    const member = part.replace(/^[ \t]+|[ \t]+$/g, '');
    if (member === '') continue;
    if (!MEMBER.test(member)) return undefined;
    if (!member.startsWith('ot=')) {
      otherMembers.push(member);
      continue;
    }
    for (const entry of member.slice(3).split(';')) {
      if (!FIELD.test(entry)) return undefined;
      const value = entry.slice(entry.indexOf(':') + 1);
      if (entry.startsWith('rv:')) randomness = parseRandomness(value);
      else if (entry.startsWith('th:')) threshold = parseThreshold(value);
      else {
        otherFields.push(entry);
        continue;
      }
      if ((entry.startsWith('rv:') ? randomness : threshold) === undefined) return undefined;
    }
  }
  return { randomness, threshold, otherFields, otherMembers };
}

export function formatTraceState(state: SamplingState): string {
  const fields: string[] = [];
  if (state.randomness !== undefined) fields.push(`rv:${randomnessText(state.randomness)}`);
  if (state.threshold !== undefined) fields.push(`th:${thresholdText(state.threshold)}`);
  fields.push(...state.otherFields);
  return [...(fields.length > 0 ? [`ot=${fields.join(';')}`] : []), ...state.otherMembers].join(',');
}
