/** The reference page of what can be configured: the options of `up`, variables and files. @module */
import type { OptionSet } from '../packages/cli/src/command.ts';
import { ACME_OPTIONS } from '../packages/cli/src/commands/acme-options.ts';
import { CUSTODY_OPTIONS } from '../packages/cli/src/commands/custody-options.ts';
import { S3_OPTIONS } from '../packages/cli/src/commands/s3-options.ts';
import { up } from '../packages/cli/src/commands/up.ts';

const INTRODUCTION = `# Configuration

There is no configuration file of the server. What has to be said at its start are options of
\`holdfast up\`; everything else is set while it runs, by commands that stand on the audit log, and
is kept sealed in the data folder: [classes of devices](../guides/readings.md#how-long-it-is-kept), [policy](../guides/roles-and-policy.md),
[people and OpenID](../guides/people.md), [the schedule of backups](../guides/backup.md).

Secrets are never options. Where one is needed, an option names a file that only its owner can read,
or a file descriptor; at a terminal it is asked for.
`;

const REST = `
## Environment

| variable | read by | what |
|---|---|---|
| \`HOLDFAST_DATA\` | all commands | the data folder, where \`--data\` is not given |
| \`XDG_CONFIG_HOME\` | \`login\` and what comes after it | where \`holdfast/credentials.json\` is kept (default \`~/.config\`) |
| \`NO_COLOR\` | all commands | any value: no colors |

No variable of Holdfast holds a secret: other programs of the same user can read the environment of a
process. The SDK of AWS reads its own where no file of credentials is named.

## Files

| file | mode | whose | what |
|---|---|---|---|
| the data folder | 0700 | server | everything it keeps: [each file](../../ARCHITECTURE.md#what-stands-on-the-disk) |
| \`~/.config/holdfast/credentials.json\` | 0600 | a person | address, authority and API token of a login |
| a device bundle | 0700 | device | what \`device enroll\` made, see below |
| \`*.key\`, \`*.seen.json\` | 0600 | a signer of firmware | [a sealed signing key, and what it has signed](../guides/firmware.md#the-keys) |
| \`agent.json\` | 0600 | update agent | [slots, checks and boot loader](../guides/firmware.md#the-device); examples in [\`examples/agent\`](../../examples/agent/agent.json) |

A device bundle:

| file | what | secret |
|---|---|---|
| \`ca.crt\` | the trust anchor: the root of this server | no |
| \`client.crt\` | certificate of the device, then that of its issuer | no |
| \`client.key\` | its TLS key, or the PKCS #11 URI of it | yes |
| \`payload.key\` | 64 hexadecimal digits: signs what the device sends | yes |
| \`command.key\` | 64 hexadecimal digits: verifies what it is sent | yes |
| \`holdfast.json\` | device id, key id, addresses, pins | no |
| \`server.pin\` | the same pins for programs of others: key, certificate, next key | no |
| \`api.key\` | the [second factor](../guides/device-api-keys.md), where its class asks for one | yes |
| \`store\`, \`counter\`, \`commands.seen\` | what waits for the server, and how far it has counted | no, sealed |
`;

/** Makes the page. */
export function configurationPage(): string {
  const special: OptionSet = { ...ACME_OPTIONS, ...CUSTODY_OPTIONS, ...S3_OPTIONS };
  const plain = Object.entries(up.options).filter(([name]) => !Object.hasOwn(special, name));
  const parts = [
    tableOf('Options of `holdfast up`', Object.fromEntries(plain)),
    tableOf('A public certificate (ACME)', ACME_OPTIONS, 'public-name.md'),
    tableOf('Who keeps the keys', CUSTODY_OPTIONS, 'keys.md'),
    tableOf('Buckets of S3', S3_OPTIONS, 'object-storage.md'),
  ];
  return `${INTRODUCTION}${parts.join('')}${REST}`;
}

function tableOf(title: string, options: OptionSet, guide?: string): string {
  const rows = Object.entries(options).map(([name, { value, help, multiple }]) => {
    const flag = value === undefined ? `--${name}` : `--${name} ${value}`;
    const text = `${help}${multiple === true ? '; may be repeated' : ''}`;
    return `| \`${flag}\` | ${text.replaceAll('|', String.raw`\|`)} |`;
  });
  const more = guide === undefined ? '' : `How and why: [${guide}](../guides/${guide}).\n\n`;
  return `\n## ${title}\n\n${more}| option | what |\n|---|---|\n${rows.join('\n')}\n`;
}
