/** What an API token is good for, of all that its person may do. @module */
import { z } from 'zod';

export const TokenScopeSchema = z.object({
  /** Names of actions and of action groups of the policy; undefined: all. */
  actions: z.array(z.string()).optional(),
  /** The group whose devices it is good for, and nothing else; undefined: for all things. */
  group: z.string().optional(),
});
/** A limit of a token: its person's rights count inside it only. */
export type TokenScope = Readonly<z.infer<typeof TokenScopeSchema>>;
