/** All groups of parity cases. Each has its recorded answers in test/golden/parity/<name>.json. */
import type { ParityCase } from './case.js';
import { debugCases, fileCases } from './cases/exporters.js';
import { ottlConverters } from './cases/ottl-converters.js';
import { ottlTelemetry } from './cases/ottl-telemetry.js';
import { attributesCases, filterCases, samplerCases } from './cases/processors.js';
import { resourceDetectionCases } from './cases/resource-detection.js';
import { tailSamplingCases } from './cases/tail-sampling.js';

export const GROUPS: Readonly<Record<string, () => readonly ParityCase[]>> = {
  attributes: attributesCases,
  debug: debugCases,
  file: fileCases,
  filter: filterCases,
  'ottl-converters': ottlConverters,
  'ottl-telemetry': ottlTelemetry,
  'probabilistic-sampler': samplerCases,
  'resource-detection': resourceDetectionCases,
  'tail-sampling': tailSamplingCases,
};
