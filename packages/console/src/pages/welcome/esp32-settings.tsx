import { Button } from '@mantine/core';
/** What the sketch of an ESP32 has to be told of this server. @module */
import { useQuery } from '@tanstack/react-query';
import { Download } from 'lucide-react';
import type { ReactNode } from 'react';
import { askText } from '../../api/ask.ts';
import type { Problem } from '../../api/problem.ts';
import { keyOf } from '../../api/use-ask.ts';
import { CodeBlock, CopyText } from '../../parts/copy.tsx';
import { Fact, Facts } from '../../parts/facts.tsx';
import { Message, ProblemMessage } from '../../parts/message.tsx';
import { saveFile } from '../../parts/save-file.ts';
import { type Place, esp32Defines, esp32Nvs } from './first-steps-text.ts';
import styles from './welcome.module.css';

const ANCHOR = '/v1/anchor';

/** The settings, each of them to copy. */
export function Esp32Settings({ place }: { readonly place: Place }): ReactNode {
  const { id, host, brokerPort, pins } = place;
  const anchor = useQuery<string, Problem>({
    queryKey: keyOf(ANCHOR),
    queryFn: ({ signal }) => askText(ANCHOR, { signal }),
  });
  return (
    <div className={styles['stack']}>
      <p className={styles['text']}>
        Enroll it on a PC first, as above. The project <code>examples/esp32</code> of Holdfast
        (ESP-IDF 5.3 or later of the 5.x line, TLS 1.3 on, TLS 1.2 off) then needs:
      </p>
      <Facts>
        <Fact name="Host and port">
          <CopyText value={`mqtts://${host}:${brokerPort}`} label="the address of the broker" />
        </Fact>
        <Fact name="Client id">
          <CopyText value={id} label="the client id" />
        </Fact>
        <Fact name="Readings go to">
          <CopyText value={`d/${id}/telemetry`} label="the topic of readings" />
        </Fact>
        <Fact name="Commands come on">
          <CopyText value={`d/${id}/cmd/#`} label="the topic of commands" />
        </Fact>
        <Fact name="Pin of the server's key">
          <CopyText value={pins.spki} label="the pin" />
        </Fact>
        <Fact name="Pin of its next key">
          <CopyText value={pins.backupSpki} label="the pin of the next key" />
        </Fact>
      </Facts>
      <Message title="The root certificate is enough for most; pins are stronger, and have a price.">
        With <code>ca.crt</code> alone a board trusts whoever holds your authority. With pins it
        trusts these two keys: put in <strong>both</strong>, or a change of the key locks it out.
        Pin keys, never the certificate, which changes every year.
      </Message>
      <p className={styles['text']}>
        In <code>main/main.c</code>:
      </p>
      <CodeBlock code={esp32Defines(place)} label="the settings in main.c" />
      <p className={styles['text']}>
        Its own partition, <code>nvs.csv</code> for <code>nvs_partition_gen.py</code>. Turn flash
        and NVS encryption on first, and never put these keys into an image that two boards get:
      </p>
      <CodeBlock code={esp32Nvs(place)} label="the file nvs.csv" />
      <p className={styles['text']}>
        The root certificate of this server, which the folder has as <code>ca.crt</code>:
      </p>
      <ProblemMessage error={anchor.error} />
      {anchor.data !== undefined && (
        <>
          <CodeBlock code={anchor.data} label="the root certificate" />
          <div>
            <Button
              variant="default"
              leftSection={<Download size={16} />}
              onClick={() => saveFile('ca.crt', anchor.data)}
            >
              Save ca.crt
            </Button>
          </div>
        </>
      )}
    </div>
  );
}
