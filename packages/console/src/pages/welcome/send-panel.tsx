/** How a device sends its first reading, by what it runs. @module */
import { Tabs } from '@mantine/core';
import type { ReactNode } from 'react';
import sdkGuide from '../../../../../docs/guides/device-sdk.md?raw';
import pythonGuide from '../../../../../docs/guides/python-device.md?raw';
import signProgram from '../../../../../examples/sign.py?raw';
import { CodeBlock } from '../../parts/copy.tsx';
import { Message } from '../../parts/message.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Esp32Settings } from './esp32-settings.tsx';
import {
  type Place,
  mosquittoCommands,
  programOf,
  sdkProgram,
  tamperCommand,
} from './first-steps-text.ts';
import styles from './welcome.module.css';

/** Four ways; each of them signs what it sends. */
export function SendPanel({ place }: { readonly place: Place }): ReactNode {
  return (
    <Panel
      title="3. Send a reading"
      note={`Signed, with a counter and the time, on d/${place.id}/telemetry.`}
    >
      <Tabs defaultValue="mosquitto" keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="mosquitto">mosquitto_pub</Tabs.Tab>
          <Tabs.Tab value="python">Python</Tabs.Tab>
          <Tabs.Tab value="typescript">TypeScript</Tabs.Tab>
          <Tabs.Tab value="esp32">ESP32</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="mosquitto" pt="md">
          <Mosquitto place={place} />
        </Tabs.Panel>
        <Tabs.Panel value="python" pt="md">
          <Python place={place} />
        </Tabs.Panel>
        <Tabs.Panel value="typescript" pt="md">
          <TypeScript place={place} />
        </Tabs.Panel>
        <Tabs.Panel value="esp32" pt="md">
          <Esp32Settings place={place} />
        </Tabs.Panel>
      </Tabs>
    </Panel>
  );
}

interface WayProps {
  readonly place: Place;
}

function Mosquitto({ place }: WayProps): ReactNode {
  return (
    <div className={styles['stack']}>
      <p className={styles['text']}>
        Save this as <code>sign.py</code>: it adds counter, time and signature.
      </p>
      <CodeBlock code={signProgram} label="the program sign.py" />
      <p className={styles['text']}>Then, beside the folder of the device:</p>
      <CodeBlock code={mosquittoCommands(place)} label="the commands" />
      <p className={styles['hint']}>
        No error means that the server has it on its disk; whether it was believed, you see here.
        Never use <code>--insecure</code>: it connects to whoever answers. Does the host name not
        fit? Start the server with <code>--host</code> and that name.
      </p>
      <p className={styles['text']}>
        Try to fool it: the same reading with another number. It is acknowledged, so that nobody on
        the way learns anything, and refused.
      </p>
      <CodeBlock code={tamperCommand()} label="the command that alters a reading" />
    </div>
  );
}

function Python({ place: { id } }: WayProps): ReactNode {
  return (
    <div className={styles['stack']}>
      <CodeBlock code={`pip install paho-mqtt\npython3 device.py ./${id}`} label="the commands" />
      <p className={styles['text']}>
        Save this as <code>device.py</code>. There is nothing to fill in: name, broker and pins of
        this server are in the folder of the device.
      </p>
      <CodeBlock code={programOf(pythonGuide, 'python')} label="the program device.py" />
    </div>
  );
}

function TypeScript({ place }: WayProps): ReactNode {
  const { id } = place;
  return (
    <div className={styles['stack']}>
      <p className={styles['text']}>
        In the folder of Holdfast, save this as <code>{id}.ts</code>. The SDK signs, counts, checks
        the pin of the server, keeps what it could not send, and renews its certificate by itself.
        It stays connected to hear commands; Ctrl-C ends it.
      </p>
      <CodeBlock code={sdkProgram(place, sdkGuide)} label="the program" />
      <CodeBlock code={`npx node ${id}.ts`} label="the command" />
      <Message title="One process for each folder.">
        It keeps the counters of the device there; a second one is refused.
      </Message>
    </div>
  );
}
