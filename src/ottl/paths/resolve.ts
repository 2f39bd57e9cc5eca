/**
 * From a path to the place in telemetry that it names.
 * Source: OpenTelemetry Collector Contrib 0.159, pkg/ottl/contexts.
 */
import type { Path, Segment } from '../ast.js';
import { pathText } from '../ast.js';
import { type Access, type ContextName, type Getter, VISIBLE } from '../context.js';
import { datapointPath } from './datapoint.js';
import { exemplarPath } from './exemplar.js';
import { cacheAccess } from './fields.js';
import { logPath } from './log.js';
import { type PathParts, type PathResult, refuseRest } from './look-up.js';
import { metricPath } from './metric.js';
import { resourcePath, scopePath } from './resource.js';
import { spanEventPath, spanPath } from './span.js';

const RESOLVERS: Readonly<Record<ContextName, (parts: PathParts) => PathResult>> = {
  resource: resourcePath,
  scope: scopePath,
  span: spanPath,
  spanevent: spanEventPath,
  metric: metricPath,
  datapoint: datapointPath,
  exemplar: exemplarPath,
  log: logPath,
};

const DOCS =
  'https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/pkg/ottl/contexts/ottl';

export interface PathRules {
  readonly context: ContextName;
  /** Whether every path must begin with the name of a context (`span.name`). Otherwise `name` is of the context itself. */
  readonly prefixed: boolean;
}

/** Throws an `Error` with the Collector's sentence. `keyGetter` makes a key ready. */
export function resolvePath(
  path: Path,
  rules: PathRules,
  keyGetter: (key: Segment['keys'][number]) => Getter,
): Access {
  const { context, segments } = splitContext(path, rules);
  const full = pathText(path.segments);
  const parts: PathParts = {
    names: segments.map(({ name }) => name),
    keys: segments.map(({ keys }) => keys.map(keyGetter)),
  };
  const [first] = segments;
  if (first?.name === 'cache' && context === rules.context) {
    refuseRest(parts, 1);
    return cacheAccess(parts.keys[0]!);
  }
  const result = RESOLVERS[context](parts);
  if (!('unknown' in result)) return result;
  const unknown = parts.names[result.unknown] ?? '';
  throw new Error(
    `segment ${JSON.stringify(unknown)} from path ${JSON.stringify(full)} is not a valid path nor a valid OTTL keyword ` +
      `for the ${context} context - review ${DOCS}${context} to see all valid paths`,
  );
}

function splitContext(
  { segments }: Path,
  { context, prefixed }: PathRules,
): { context: ContextName; segments: readonly Segment[] } {
  const visible = VISIBLE[context];
  const [first, ...rest] = segments;
  const named =
    rest.length > 0 && first!.keys.length === 0 ? visible.find((name) => name === first!.name) : undefined;
  if (named !== undefined) {
    return { context: named === 'instrumentation_scope' ? 'scope' : named, segments: rest };
  }
  if (!prefixed) return { context, segments };
  const text = pathText(segments);
  if (rest.length > 0 && first!.keys.length === 0) {
    const names = visible.map((name) => `"${name}"`).join(', ');
    throw new Error(
      `context "${first!.name}" from path "${text}" is not valid, it must be replaced by one of: ${names}`,
    );
  }
  const options = visible.map((name) => `"${name}.${text}"`).join(', ');
  throw new Error(`missing context name for path "${text}", possibly valid options are: ${options}`);
}
