/** What `holdfast-agent --help` prints. @module */

export const AGENT_HELP = `holdfast-agent – installs firmware updates on this device, and comes back by itself

Usage
  holdfast-agent run [-- <command> …]   run as a service
  holdfast-agent status                 what runs, and how the last update went
  holdfast-agent check                  ask the server, and change nothing
  holdfast-agent install                ask now, and install what is assigned
  holdfast-agent confirm                hold the image on trial for good, also without the server
  holdfast-agent prove-boot             prove by the TPM what this device booted; run does as well

Options
  --config <file>   configuration (default: /etc/holdfast/agent.json)
  --json            status as JSON
  --abandoned       status: exit code 0 only when an image is on trial and no agent runs
  -h, --help        this text

With slots of the kind "directory", give the program after --. It is started from the slot that is
due, as a boot loader would: with HOLDFAST_SLOT (a or b) and HOLDFAST_IMAGE (path) in its
environment. A new image that ends, or is not confirmed in time, is replaced by the one before,
whether or not the server can be reached and the agent lives:

  holdfast-agent run --config agent.json -- ./slots/current/image --port 8080

With "u-boot" and "systemd-boot" the boot loader does that; see examples/agent/ for units of systemd
that restart a device whose agent does not start.
`;
