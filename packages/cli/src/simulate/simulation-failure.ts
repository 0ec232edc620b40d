/** What keeps a simulation from running. @module */
import { Failure } from '../failure.ts';

export function simulationFailure(what: string, fix: string, why?: string): Failure {
  return new Failure('E_CLI_SIMULATION', { what, why, fix });
}
