/**
 * THE list of components. A component is a folder and one import line here, alphabetical by path; everything else
 * (configuration, documentation, contract tests) follows from the list.
 */
import type { AnyFactory } from './component/factory.js';
import { forwardConnector } from './connectors/forward/factory.js';
import { nopExporter } from './exporters/nop/factory.js';
import { batchProcessor } from './processors/batch/factory.js';
import { memoryLimiterProcessor } from './processors/memory_limiter/factory.js';
import { nopReceiver } from './receiver/nop/factory.js';

export const COMPONENTS: readonly AnyFactory[] = [
  forwardConnector,
  nopExporter,
  batchProcessor,
  memoryLimiterProcessor,
  nopReceiver,
];
