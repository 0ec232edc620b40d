/** Adds the devices of a file: shows what would come of it, does it, and gives the claims. @module */
import type { ImportedDevices } from '@holdfast/protocol/api';
import { Button, Checkbox, FileInput, Group, NativeSelect, Stack, Text } from '@mantine/core';
import { Upload } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { ask } from '../../api/ask.ts';
import type { Problem } from '../../api/problem.ts';
import { keyOf } from '../../api/use-ask.ts';
import { CodeBlock } from '../../parts/copy.tsx';
import { Message, ProblemMessage } from '../../parts/message.tsx';
import { counted } from '../../parts/number-text.ts';
import { saveFile } from '../../parts/save-file.ts';
import { Time } from '../../parts/time.tsx';
import { useAct } from '../../parts/use-act.tsx';
import { type CsvProblem, type DeviceCsv, csvLine, readDeviceCsv } from './device-csv.ts';
import { type ImportCheck, type SendImport, checkImport, importAll } from './import-devices.ts';
import styles from './devices.module.css';

const DAY_MS = 86_400_000;
const DAYS = [1, 7, 30, 90] as const;
/** More than any file of the allowed number of devices has. */
const FILE_BYTES_MAX = 4_000_000;
const PROBLEMS_SHOWN = 100;
const EXAMPLE = 'id,class,group,tags\npump-0001,actuator,north,roof cold\nmeter-0001,sensor,,\n';

type Claim = ImportedDevices['claims'][number];

const send: SendImport = (body) =>
  ask<ImportedDevices>('/v1/device-imports', { method: 'POST', body });

interface AddManyProps {
  /** Secrets are held from now on. */
  readonly onClaimed: () => void;
  readonly onClose: () => void;
}

/** The form. */
export function AddMany({ onClaimed, onClose }: AddManyProps): ReactNode {
  const [csv, setCsv] = useState<DeviceCsv | undefined>();
  const [days, setDays] = useState(30);
  const [again, setAgain] = useState(false);
  const [claims, setClaims] = useState<readonly Claim[]>([]);
  const wish = { again, claimLifeMs: days * DAY_MS };
  const check = useAct(async ({ devices }: DeviceCsv) => checkImport(devices, wish, send));
  const run = useAct(
    async ({ devices }: DeviceCsv) => {
      const made: Claim[] = [];
      try {
        await importAll(devices, wish, {
          send,
          onClaims: (some) => {
            made.push(...some);
            setClaims([...made]);
            onClaimed();
          },
        });
      } finally {
        check.reset();
      }
      return made.length;
    },
    { changes: [keyOf('/v1/devices'), keyOf('/v1/device-facets')] },
  );
  const read = async (file: File | null): Promise<void> => {
    check.reset();
    run.reset();
    if (file === null) return setCsv(undefined);
    if (file.size > FILE_BYTES_MAX) {
      return setCsv({ devices: [], problems: [{ line: 1, what: 'The file is too large.' }] });
    }
    const found = readDeviceCsv(await file.text());
    setCsv(found);
    if (found.problems.length === 0) check.run(found);
    return undefined;
  };
  if (claims.length > 0) {
    return (
      <Claims
        claims={claims}
        isBusy={run.isBusy}
        problem={run.problem}
        total={csv?.devices.length ?? claims.length}
        onClose={onClose}
      />
    );
  }
  const isReady = check.result !== undefined && check.result.problems.length === 0;
  return (
    <Stack gap="md">
      <Text size="sm">
        A text file with commas (CSV), one device a line. The group and the tags may be left out;
        tags have spaces between them.
      </Text>
      <CodeBlock code={EXAMPLE} label="an example of the file" />
      <Group align="end" grow preventGrowOverflow={false}>
        <NativeSelect
          label="Claims work for"
          value={String(days)}
          data={DAYS.map((count) => ({ value: String(count), label: counted(count, 'day') }))}
          onChange={(event) => {
            setDays(Number(event.currentTarget.value));
            check.reset();
          }}
        />
        <FileInput
          label="File"
          placeholder="Choose a CSV file"
          accept=".csv,text/csv,text/plain"
          leftSection={<Upload size={16} aria-hidden="true" />}
          clearable
          clearButtonProps={{ 'aria-label': 'Choose no file' }}
          onChange={(file) => void read(file)}
        />
      </Group>
      <Checkbox
        label="Make new claims for devices that are there already and never enrolled"
        checked={again}
        onChange={(event) => {
          setAgain(event.currentTarget.checked);
          check.reset();
        }}
      />
      {csv !== undefined && csv.problems.length > 0 && <Problems problems={csv.problems} />}
      {check.result !== undefined && <Preview check={check.result} />}
      <ProblemMessage error={check.problem ?? run.problem} />
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        {csv !== undefined && csv.problems.length === 0 && !isReady && (
          <Button loading={check.isBusy} onClick={() => check.run(csv)}>
            Check the file
          </Button>
        )}
        {csv !== undefined && isReady && (
          <Button loading={run.isBusy} onClick={() => run.run(csv)}>
            Import {counted(csv.devices.length, 'device')}
          </Button>
        )}
      </Group>
    </Stack>
  );
}

function Preview({ check }: { readonly check: ImportCheck }): ReactNode {
  const { added, claimedAgain, problems } = check;
  if (problems.length > 0) return <Problems problems={problems} />;
  return (
    <Message tone="info" title={`${counted(added, 'device')} would be added. Nothing is done yet.`}>
      {claimedAgain > 0 &&
        `${counted(claimedAgain, 'device')} would get a new claim; the one before is void then. `}
      Each one gets a claim, by which it enrolls once.
    </Message>
  );
}

function Problems({ problems }: { readonly problems: readonly CsvProblem[] }): ReactNode {
  const more = problems.length - PROBLEMS_SHOWN;
  return (
    <Message tone="bad" title="Nothing was imported. Correct the file, and choose it again.">
      <ul className={styles['problems']}>
        {problems.slice(0, PROBLEMS_SHOWN).map(({ line, what }) => (
          <li key={`${line} ${what}`}>
            Line {line}: {what}
          </li>
        ))}
        {more > 0 && <li>and {more} more</li>}
      </ul>
    </Message>
  );
}

function Claims({
  claims,
  total,
  isBusy,
  problem,
  onClose,
}: {
  readonly claims: readonly Claim[];
  readonly total: number;
  readonly isBusy: boolean;
  readonly problem: Problem | null;
  readonly onClose: () => void;
}): ReactNode {
  const [isSaved, setIsSaved] = useState(false);
  const save = (): void => {
    const lines = claims.map(({ id, text, expiresAt }) => csvLine([id, text, expiresAt]));
    saveFile('claims.csv', csvLine(['id', 'claim', 'expires']) + lines.join(''));
    setIsSaved(true);
  };
  return (
    <Stack gap="md">
      <Text role="status">
        {isBusy
          ? `${claims.length} of ${counted(total, 'device')} are imported…`
          : `${counted(claims.length, 'device')} ${claims.length === 1 ? 'is' : 'are'} imported.`}
      </Text>
      {!isBusy && claims.length < total && (
        <Message tone="warn" title="It was interrupted.">
          Save the claims below. Import the same file again then, with new claims for devices that
          never enrolled: it goes on with the rest.
        </Message>
      )}
      <ProblemMessage error={problem} />
      <Message tone="warn" title="The claims are shown this once: save them now.">
        Each one is a secret until it is used: whoever reads it can enroll in the name of that
        device. They work until <Time at={claims[0]?.expiresAt} />. Delete the file when all devices
        have enrolled. Labels with QR codes are printed by: holdfast device import --labels
      </Message>
      <Group justify="flex-end">
        <Button variant={isSaved ? 'default' : 'filled'} disabled={isBusy} onClick={save}>
          Save claims.csv
        </Button>
        <Button variant={isSaved ? 'filled' : 'default'} disabled={isBusy} onClick={onClose}>
          {isSaved ? 'Done' : 'Close without the claims'}
        </Button>
      </Group>
    </Stack>
  );
}
