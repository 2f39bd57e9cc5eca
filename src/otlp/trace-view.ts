/**
 * Traces read in place: views over the bytes of an `ExportTraceServiceRequest` (= `TracesData`).
 * Source: opentelemetry-proto v1.11, trace/v1/trace.proto.
 *
 *     TracesData     1 resource_spans
 *     ResourceSpans  1 resource  2 scope_spans  3 schema_url
 *     ScopeSpans     1 scope     2 spans        3 schema_url
 */
import { ResourceView, ScopeView } from './group-view.js';
import { SpanView } from './span-view.js';
import { field, WireReader } from './wire-reader.js';

export { ResourceView, ScopeView } from './group-view.js';
export type { SpanEvent, SpanLink } from './span-parts.js';
export { SpanView } from './span-view.js';

const RESOURCE_SPANS = field.delimited(1);
const CHILDREN = field.delimited(2);

/**
 * Calls `visit` for every span of an encoded `ExportTraceServiceRequest`, in order.
 *
 * The `SpanView` is the same object every time; its `resource` and `scope` are new objects for each group and may be
 * kept (as keys of a Map, for instance). Returning `false` stops the walk. Throws `MalformedError`, possibly after some
 * spans have been visited.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a visitor that returns nothing is the usual one
export function walkSpans(bytes: Uint8Array, visit: (span: SpanView) => boolean | void): void {
  const outer = new WireReader(bytes);
  const middle = new WireReader();
  const inner = new WireReader();
  let view: SpanView | undefined;
  for (let tag = outer.next(); tag !== 0; tag = outer.next()) {
    if (tag !== RESOURCE_SPANS) continue;
    const resourceStart = outer.start;
    const resource = new ResourceView(bytes, resourceStart, outer.pos);
    middle.reset(bytes, resourceStart, outer.pos);
    for (let child = middle.next(); child !== 0; child = middle.next()) {
      if (child !== CHILDREN) continue;
      const scopeStart = middle.start;
      const scope = new ScopeView(bytes, scopeStart, middle.pos);
      inner.reset(bytes, scopeStart, middle.pos);
      for (let item = inner.next(); item !== 0; item = inner.next()) {
        if (item !== CHILDREN) continue;
        view ??= new SpanView(bytes, inner.start, inner.pos, resource, scope);
        view.resource = resource;
        view.scope = scope;
        view.moveTo(inner.start, inner.pos);
        if (visit(view) === false) return;
      }
    }
  }
}

/** One view for each span, in order; they stay valid as long as `bytes`. Throws `MalformedError`. */
export function spansOf(bytes: Uint8Array): SpanView[] {
  const views: SpanView[] = [];
  walkSpans(bytes, (span) => {
    views.push(span.copy());
  });
  return views;
}
