/** The process of the `holdfast-agent` command: puts the real world around it. @module */
import { runAgentCommand } from './agent-command.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const exitCode = await runAgentCommand(process.argv.slice(2), {
  print: (text) => void process.stdout.write(text),
  complain: (text) => void process.stderr.write(text),
  say: (line) => void process.stderr.write(`holdfast-agent: ${line}\n`),
  onStopSignal: (listener) => {
    for (const signal of SIGNALS) process.on(signal, listener);
    // The supervisor is gone, by whatever way: the next one starts an agent of its own.
    process.on('disconnect', listener);
  },
  send: process.send === undefined ? undefined : (word) => void process.send?.(word),
});
process.exit(exitCode);
