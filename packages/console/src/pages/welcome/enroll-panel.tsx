/** How a device turns its claim into a certificate. @module */
import { Button, Tabs } from '@mantine/core';
import { Download } from 'lucide-react';
import type { ReactNode } from 'react';
import guide from '../../../../../docs/guides/enroll-with-openssl.md?raw';
import { CodeBlock } from '../../parts/copy.tsx';
import { Message } from '../../parts/message.tsx';
import { Panel } from '../../parts/panel.tsx';
import { saveFile } from '../../parts/save-file.ts';
import { type Place, enrollCommand, isThisMachineOnly, scriptOf } from './first-steps-text.ts';
import styles from './welcome.module.css';

/** By our command, or with openssl and curl alone. */
export function EnrollPanel({ place }: { readonly place: Place }): ReactNode {
  const { id, host, enroll } = place;
  const script = scriptOf(guide);
  return (
    <Panel
      title="2. Enroll it"
      note="On the device itself: its key is made there, and never leaves it."
    >
      <div className={styles['stack']}>
        {isThisMachineOnly(place) && (
          <Message title={`Only this machine reaches the server as ${host}.`}>
            For a device elsewhere, start it with the name by which devices find it:{' '}
            <code>npm start -- --host NAME</code>. A new claim has that name in it then.
          </Message>
        )}
        <Tabs defaultValue="holdfast" keepMounted={false}>
          <Tabs.List>
            <Tabs.Tab value="holdfast">holdfast</Tabs.Tab>
            <Tabs.Tab value="openssl">openssl and curl</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="holdfast" pt="md">
            <div className={styles['stack']}>
              <CodeBlock code={enrollCommand(place)} label="the command" />
              <p className={styles['hint']}>
                It asks for the claim: paste it there, so that it stands in no history. It reaches{' '}
                <code>{enroll}</code> and knows the server by the claim.
              </p>
            </div>
          </Tabs.Panel>
          <Tabs.Panel value="openssl" pt="md">
            <div className={styles['stack']}>
              <div>
                <Button
                  variant="default"
                  leftSection={<Download size={16} />}
                  onClick={() => saveFile('enroll.sh', script)}
                >
                  Save enroll.sh
                </Button>
              </div>
              <CodeBlock code="bash enroll.sh" label="the command" />
              <p className={styles['hint']}>
                It waits for the claim without a word: paste it, and press Enter. It needs openssl,
                curl and python3. Its one <code>--insecure</code> fetches the root certificate,
                which it then compares with the claim; nothing secret is sent on that connection.
              </p>
              <CodeBlock code={script} label="the script enroll.sh" />
            </div>
          </Tabs.Panel>
        </Tabs>
        <p className={styles['hint']}>
          Either makes the folder <code>./{id}</code>: certificate, keys, the root of this server,
          its pins. <strong>The folder is the device.</strong> Do not copy it to a second one, into
          an image or a repository: each device gets a claim of its own.
        </p>
      </div>
    </Panel>
  );
}
