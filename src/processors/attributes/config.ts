import { z } from 'zod';
import { attributeActions } from '../../attribute-actions/config.js';
import { matchConfig } from '../../match/config.js';

/** Settings of `attributes`; names and sentences are the Collector's. */
export const attributesConfig = () =>
  z
    .strictObject({
      actions: attributeActions().describe(
        'What to do to the attributes of each span, data point or log record, in order.',
      ),
      ...matchConfig(),
    })
    .superRefine((config, context) => {
      const fail = (message: string) => context.addIssue({ code: 'custom', message });
      if (config.actions.length === 0) fail('missing required field "actions"');
    });

export type AttributesConfig = z.output<ReturnType<typeof attributesConfig>>;
