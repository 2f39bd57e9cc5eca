import { z } from 'zod';
import { attributeActions } from '../../attribute-actions/config.js';

/** Settings of `resource`; names and sentences are the Collector's. */
export const resourceConfig = () =>
  z
    .strictObject({
      attributes: attributeActions().describe(
        'What to do to the attributes of each resource, in order. See `attributes` for the fields of an action.',
      ),
    })
    .superRefine(({ attributes }, context) => {
      if (attributes.length === 0) {
        context.addIssue({ code: 'custom', message: 'missing required field "attributes"' });
      }
    });

export type ResourceConfig = z.output<ReturnType<typeof resourceConfig>>;
