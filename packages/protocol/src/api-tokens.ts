/** What an API token is good for, of all that its person may do. @module */
import { z } from 'zod';
import { name, text } from './api-fields.ts';

/** How many actions the scope of a token can name; more of them are a role, or a group of actions. */
export const TOKEN_SCOPE_ACTIONS_MAX = 32;

const actions = <T extends z.ZodType>(action: T) =>
  z.array(action).min(1).max(TOKEN_SCOPE_ACTIONS_MAX);
const group = name;

/**
 * What a token is to be good for. What it may do is what both the scope and the rights of its person
 * permit, as both stand when it is used.
 */
export const TokenScopeRequestSchema = z
  .strictObject({
    /** Actions of the policy, and groups of actions such as `reads`; left out: all. */
    actions: actions(z.string().min(1).max(64)).optional(),
    /** The group whose devices it is good for; for nothing else then, nor for the server. */
    group: group.optional(),
  })
  .refine((scope) => scope.actions !== undefined || scope.group !== undefined, {
    message: 'must name actions or a group; leave the scope out for a token without one',
  })
  .meta({ id: 'TokenScopeRequest' });
export type TokenScopeRequest = Readonly<z.infer<typeof TokenScopeRequestSchema>>;

/** What a token is good for; where it has no scope, for all that its person may do. */
export const TokenScopeViewSchema = z
  .object({ actions: actions(text(64)).optional(), group: group.optional() })
  .meta({ id: 'TokenScope' });
export type TokenScopeView = Readonly<z.infer<typeof TokenScopeViewSchema>>;
