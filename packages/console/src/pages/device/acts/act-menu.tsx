/** What can be done to the device, and why the rest cannot. @module */
import type { DeviceView } from '@holdfast/protocol/api';
import { Button, Menu } from '@mantine/core';
import { ChevronDown } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import type { Rights } from '../use-device.ts';
import { ActDialog } from './act-dialog.tsx';
import { ACT_GROUPS, ACT_WORDS, type MenuAct } from './act-words.ts';
import styles from './act-menu.module.css';

/** The menu, with its dialogs. */
export function ActMenu({
  device,
  rights,
}: {
  readonly device: DeviceView;
  readonly rights: Rights;
}): ReactNode {
  const [act, setAct] = useState<MenuAct | undefined>();
  return (
    <>
      <Menu position="bottom-end" width={320} withInitialFocusPlaceholder={false}>
        <Menu.Target>
          <Button variant="default" rightSection={<ChevronDown size={16} aria-hidden="true" />}>
            Actions
          </Button>
        </Menu.Target>
        <Menu.Dropdown className={styles['dropdown']}>
          {ACT_GROUPS.map(({ label, acts }) => (
            <div key={label} role="group" aria-label={label}>
              <Menu.Label>{label}</Menu.Label>
              {acts.map((each) => (
                <ActItem key={each} act={each} rights={rights} onChoose={() => setAct(each)} />
              ))}
            </div>
          ))}
        </Menu.Dropdown>
      </Menu>
      {act !== undefined && (
        <ActDialog
          act={act}
          device={device}
          needs={rights.get(act)?.needs ?? 'nothing'}
          onClose={() => setAct(undefined)}
        />
      )}
    </>
  );
}

/** One that cannot be done can be reached all the same, so that its reason can be read. */
function ActItem({
  act,
  rights,
  onChoose,
}: {
  readonly act: MenuAct;
  readonly rights: Rights;
  readonly onChoose: () => void;
}): ReactNode {
  const { label, isDangerous } = ACT_WORDS[act];
  const right = rights.get(act);
  const isOffered = right?.isPossible ?? true;
  return (
    <Menu.Item
      aria-disabled={!isOffered}
      closeMenuOnClick={isOffered}
      className={styles['item']}
      data-dangerous={isDangerous === true}
      data-offered={isOffered}
      onClick={() => {
        if (isOffered) onChoose();
      }}
    >
      {label}
      {right?.why !== undefined && <span className={styles['why']}>{right.why}</span>}
    </Menu.Item>
  );
}
