/** The reference page of the metrics, made of the registry that serves them. @module */
import { createMetrics } from '../packages/server/src/main/metrics.ts';

const INTRODUCTION = `# Metrics

\`GET /metrics\` of the API, as Prometheus reads it, for whoever has \`metrics:read\`: an auditor, a
security officer, an administrator. Make a token of its own for it, and let Prometheus check the
server by its authority:

\`\`\`yaml
scrape_configs:
  - job_name: holdfast
    scheme: https
    authorization: { credentials_file: /etc/prometheus/holdfast.token }
    tls_config: { ca_file: /etc/prometheus/holdfast-ca.crt }
    static_configs: [{ targets: ['iot.example.org:8443'] }]
\`\`\`

Beside these there are \`process_…\` and \`nodejs_…\`, those of every Node program. No metric names a
device: a label for each of them would tell who has which, and fill the memory of Prometheus.

| metric | kind | labels | what it tells |
|---|---|---|---|
`;

const ALERTS = `
## What to be woken by

| when | it means |
|---|---|
| \`holdfast_disk_free_bytes\` comes near \`holdfast_disk_reserve_bytes\` | soon [no message is taken](../guides/storage.md#when-the-disk-gets-full) |
| \`time() - holdfast_backup_last_seconds\` is more than two of your intervals | no backup is made |
| \`time() - holdfast_log_witnessed_seconds\` grows, or \`holdfast_log_behind_witnesses\` is not 0 | the [witness](../guides/witness.md) does not come, or has seen another log |
| \`holdfast_backup_keys_pending\` is not 0 for an hour | an [erasure](../guides/backup.md#erase-what-a-device-has-sent) has not reached a place of backups |
| \`holdfast_public_certificate_end_seconds - time()\` is under two weeks | browsers will soon warn |
| \`rate(holdfast_refusals_total{code=~"E_SESSION_REVOKED\\|E_ENROLL_CLONE\\|E_VERIFY_SIG"}[5m])\` is not 0 | somebody tries |
`;

/** Makes the page. */
export function metricsPage(): string {
  const metrics = createMetrics();
  // Gauges exist once their sources are connected; nothing reads them here.
  for (const [name, connect] of Object.entries(metrics)) {
    if (name.startsWith('watch')) Reflect.apply(connect, metrics, [NO_SOURCE]);
  }
  const rows = metrics.registry
    .getMetricsAsArray()
    .filter(({ name }) => name.startsWith('holdfast_'))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((metric) => {
      const { name, help, type } = metric;
      const labels = 'labelNames' in metric ? (metric.labelNames as readonly string[]) : [];
      return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`;
    });
  return `${INTRODUCTION}${rows.join('\n')}\n${ALERTS}`;
}

/** In the place of every source. */
const NO_SOURCE = (): never => {
  throw new Error('nothing is measured while documentation is made');
};
