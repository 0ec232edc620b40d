/** The proof of a reading: as a file, and checked here, in the browser. @module */
import type { EvidenceVerdict } from '@holdfast/protocol';
import type { DevicePossibility, Evidence, ReadingView, ServerInfo } from '@holdfast/protocol/api';
import { Button } from '@mantine/core';
import { Download, ShieldCheck } from 'lucide-react';
import { type ReactNode, useRef } from 'react';
import { ask } from '../../../api/ask.ts';
import { Message, ProblemMessage } from '../../../parts/message.tsx';
import { saveFile } from '../../../parts/save-file.ts';
import { useAct } from '../../../parts/use-act.tsx';
import { pathOf } from '../use-device.ts';
import { verdictWords } from './verdict-words.ts';
import styles from './reading-drawer.module.css';

interface Checked {
  readonly evidence: Evidence;
  readonly verdict: EvidenceVerdict;
}

/** The section of the drawer. */
export function ReadingProof({
  reading: { device, index },
  mayProve,
  onExactBytes,
}: {
  readonly reading: ReadingView;
  readonly mayProve: DevicePossibility | undefined;
  readonly onExactBytes: (bytes: Uint8Array) => void;
}): ReactNode {
  // Each bundle is an act on the log: what was given once is not asked for again.
  const given = useRef<Evidence>(undefined);
  const evidenceOf = async (): Promise<Evidence> => {
    given.current ??= await ask<Evidence>(`${pathOf(device)}/evidence`, {
      method: 'POST',
      body: { index },
    });
    return given.current;
  };
  const download = useAct(async () => {
    const text = `${JSON.stringify(await evidenceOf(), undefined, 2)}\n`;
    saveFile(`evidence-${device}-${index}.json`, text);
  });
  const check = useAct(
    async (): Promise<Checked> => {
      const evidence = await evidenceOf();
      const { verifierKey } = await ask<ServerInfo>('/v1/server');
      const { checkEvidenceHere } = await import('../../../proof/check-evidence.ts');
      return { evidence, verdict: await checkEvidenceHere(evidence, verifierKey) };
    },
    {
      onDone: ({ verdict: { reading } }) => {
        if (reading !== undefined) onExactBytes(reading.payload);
      },
    },
  );
  const mayNot = mayProve?.isPossible === false;
  return (
    <section>
      <h3 className={styles['title']}>Proof</h3>
      <p className={styles['note']}>
        {mayNot
          ? `You may not get the evidence: ${mayProve.why ?? ''}`
          : 'That this reading stands in the log, unchanged. Who asks for it is noted on the log.'}
      </p>
      <div className={styles['buttons']}>
        <Button
          leftSection={<ShieldCheck size={16} />}
          loading={check.isBusy}
          disabled={mayNot}
          onClick={() => check.run(undefined)}
        >
          Check it here
        </Button>
        <Button
          variant="default"
          leftSection={<Download size={16} />}
          loading={download.isBusy}
          disabled={mayNot}
          onClick={() => download.run(undefined)}
        >
          Download evidence
        </Button>
      </div>
      <ProblemMessage error={check.problem ?? download.problem} />
      {check.result !== undefined && <Verdict {...check.result} />}
    </section>
  );
}

function Verdict({ evidence, verdict }: Checked): ReactNode {
  const { problems } = verdict;
  if (problems.length > 0) {
    return (
      <Message tone="bad" title="This evidence proves nothing.">
        <ul className={styles['list']}>
          {problems.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
        Do not believe this reading. Verify the whole log, and tell whoever runs this server.
      </Message>
    );
  }
  const { proven, notProven } = verdictWords(verdict, evidence);
  return (
    <>
      <Message tone="good" title="Checked in this browser: the reading is in the log, unchanged.">
        <ul className={styles['list']}>
          {proven.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      </Message>
      <h4 className={styles['part']}>What this does not prove</h4>
      <ul className={styles['list']}>
        {notProven.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </>
  );
}
