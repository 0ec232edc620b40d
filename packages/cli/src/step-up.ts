/** Acts for which the server asks for the second factor again. @module */
import type { Client } from '@holdfast/client';
import { closing, findAccess } from './access.ts';
import { completeSignIn } from './sign-in.ts';
import type { World } from './world.ts';

/**
 * Calls `act` with a client for the server. An API token is not enough for dangerous acts: when the
 * server says so and somebody is at the terminal, they sign in for this one act.
 */
export async function withStepUp<T>(
  world: World,
  data: string | undefined,
  act: (client: Client) => Promise<T>,
): Promise<T> {
  const access = findAccess(world, data);
  try {
    return await closing(await world.connect(access), act);
  } catch (error) {
    if (!asksForStepUp(error) || !world.input.isTty) throw error;
  }
  const { input, stderr } = world;
  const { principal } = await closing(await world.connect(access), (client) => client.me());
  const name = principal.replace(/^person:/u, '');
  stderr.write('This needs your password and your second factor again.\n');
  const password = await input.askHidden(`Password of ${name}: `);
  const { url, anchorPem } = access;
  const { session } = await closing(await world.connect({ url, anchorPem }), (client) =>
    completeSignIn(world, client, { name, password }),
  );
  return closing(await world.connect({ url, anchorPem, session }), async (client) => {
    try {
      return await act(client);
    } finally {
      await client.signOut();
    }
  });
}

function asksForStepUp(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'E_OPERATE_STEP_UP';
}
