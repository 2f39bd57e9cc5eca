import { compileAction } from '../../attribute-actions/compile.js';
import type { Batch } from '../../component/signal.js';
import { MessageNode } from '../../otlp/message-node.js';
import { field } from '../../otlp/wire-reader.js';
import type { Mapped } from '../../pipeline/map-processor.js';
import type { ResourceConfig } from './config.js';

/** Resource group in the request, resource in its group, attribute in its resource. */
const FIRST = field.delimited(1);

/** Applies the actions to every resource. All signals nest resources alike. */
export function resourceMapper(config: ResourceConfig): (batch: Batch) => Mapped {
  const actions = config.attributes.map(compileAction);
  return ({ bytes, itemCount, origin }) => {
    const request = new MessageNode(bytes);
    for (const group of request.children(FIRST)) {
      const resource = group.child(FIRST);
      for (const act of actions) act(resource, FIRST, origin);
    }
    return { bytes: request.encode(), itemCount };
  };
}
