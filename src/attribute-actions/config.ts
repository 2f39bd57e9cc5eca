import { z } from 'zod';
import { compileAction } from './compile.js';

/** One entry of `actions` (processor `attributes`) or `attributes` (processor `resource`). */
const actionFields = () =>
  z.strictObject({
    key: z.string().default('').describe('Attribute to act on.'),
    action: z
      .string()
      .default('')
      .describe('`insert`, `update`, `upsert`, `delete`, `hash`, `extract` or `convert`.'),
    value: z.unknown().optional().describe('Value to write; its type is the one in the file.'),
    default_value: z.unknown().optional().describe('Value to write where no other source has one.'),
    from_attribute: z.string().default('').describe('Attribute to copy the value from.'),
    from_context: z
      .string()
      .default('')
      .describe('`client.address`: where the batch came from. Other names have no value.'),
    pattern: z
      .string()
      .default('')
      .describe('For `extract`: named groups become attributes. For `delete`, `hash`: keys to act on.'),
    converted_type: z.string().default('').describe('For `convert`: `int`, `double` or `string`.'),
  });

export type ActionConfig = z.output<ReturnType<typeof actionFields>>;

/** A checked list of actions; problems are worded as the Collector words them. */
export const attributeActions = () =>
  z
    .array(actionFields())
    .default([])
    .superRefine((actions, context) => {
      for (const [index, action] of actions.entries()) {
        try {
          compileAction(action, index);
        } catch (error) {
          context.addIssue({ code: 'custom', message: (error as Error).message });
        }
      }
    });
