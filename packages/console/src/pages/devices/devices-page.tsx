/** Devices: find them, see how they are, and do something to many of them. @module */
import type { BulkAct } from '@holdfast/protocol/api';
import { Button } from '@mantine/core';
import { Plus } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { useMe } from '../../api/use-me.ts';
import { Empty, Loading } from '../../parts/empty.tsx';
import { ProblemMessage } from '../../parts/message.tsx';
import { counted } from '../../parts/number-text.ts';
import { Page } from '../../parts/page.tsx';
import { AddDialog } from './add-dialog.tsx';
import { BulkDialog } from './bulk-dialog.tsx';
import { DeviceList } from './device-list.tsx';
import { FilterBar } from './filter-bar.tsx';
import { type Filter, type Order, filterOf, orderOf, searchOf } from './filter-state.ts';
import { SelectionBar } from './selection-bar.tsx';
import {
  NOTHING,
  type Selected,
  allShown,
  countOf,
  isFull,
  isSelected,
  selectionOf,
  toggled,
} from './selection.ts';
import { type Devices, useDevices } from './use-devices.ts';
import styles from './devices.module.css';

/** The page. */
export function DevicesPage(): ReactNode {
  const [search, setSearch] = useSearchParams();
  const [filter, order] = [filterOf(search), orderOf(search)];
  const list = useDevices(searchOf(filter, order).toString());
  const may = useMe().data?.may;
  const [selected, setSelected] = useState<Selected>(NOTHING);
  const [act, setAct] = useState<BulkAct | undefined>();
  const [isAdding, setIsAdding] = useState(false);
  const change = (after: Filter, by: Order): void => {
    // Who is selected by a filter is nobody without it.
    setSelected(NOTHING);
    setSearch(searchOf(after, by), { replace: true });
  };
  const ids = list.devices.map(({ id }) => id);
  const selects = may?.includes('device:act-many') ?? true;
  const mayAdd = may?.includes('device:claim') ?? true;
  const areAllSelected = ids.length > 0 && ids.every((id) => isSelected(selected, id));
  const toggleAll = (): void => setSelected(areAllSelected ? NOTHING : allShown(ids));
  return (
    <Page
      title="Devices"
      isWide
      intro="Every device that you may see, with its state and whether it is there."
      actions={
        mayAdd && (
          <Button
            leftSection={<Plus size={16} aria-hidden="true" />}
            onClick={() => setIsAdding(true)}
          >
            Add devices
          </Button>
        )
      }
    >
      <FilterBar filter={filter} order={order} onChange={change} />
      <ProblemMessage error={list.error} />
      <Status list={list} {...(selects && { areAllSelected, onToggleAll: toggleAll })} />
      {countOf(selected) > 0 && (
        <SelectionBar
          selected={selected}
          count={list.count ?? ids.length}
          may={may}
          onSelectAll={() => setSelected({ kind: 'all', count: list.count ?? ids.length })}
          onClear={() => setSelected(NOTHING)}
          onAct={setAct}
        />
      )}
      {list.devices.length > 0 ? (
        <DeviceList
          list={list}
          selects={selects}
          isSelected={(id) => isSelected(selected, id)}
          mayAdd={!isFull(selected)}
          onToggle={(id) => setSelected(toggled(selected, id, ids))}
          areAllSelected={areAllSelected}
          onToggleAll={toggleAll}
        />
      ) : (
        !list.isLoading &&
        list.error === null && (
          <NoDevices
            isFiltered={Object.keys(filter).length > 0}
            mayAdd={mayAdd}
            onShowAll={() => change({}, order)}
          />
        )
      )}
      {act !== undefined && (
        <BulkDialog
          act={act}
          select={selectionOf(selected, filter)}
          onDone={() => {
            setAct(undefined);
            setSelected(NOTHING);
          }}
          onClose={() => setAct(undefined)}
        />
      )}
      <AddDialog isOpen={isAdding} onClose={() => setIsAdding(false)} />
    </Page>
  );
}

/** How many there are; on a phone, where the list has no head, also a way to select them. */
function Status({
  list,
  areAllSelected = false,
  onToggleAll,
}: {
  readonly list: Devices;
  readonly areAllSelected?: boolean;
  readonly onToggleAll?: () => void;
}): ReactNode {
  if (list.isLoading) return <Loading what="the devices" />;
  const { count = list.devices.length, devices } = list;
  return (
    <div className={styles['status']}>
      <p className={styles['count']} role="status">
        {counted(count, 'device')}
        {list.isStale && ', searching…'}
      </p>
      {onToggleAll !== undefined && devices.length > 0 && (
        <Button
          className={styles['narrow'] ?? ''}
          variant="subtle"
          size="compact-sm"
          onClick={onToggleAll}
        >
          {areAllSelected ? 'Select none' : 'Select those that are loaded'}
        </Button>
      )}
    </div>
  );
}

function NoDevices({
  isFiltered,
  mayAdd,
  onShowAll,
}: {
  readonly isFiltered: boolean;
  readonly mayAdd: boolean;
  readonly onShowAll: () => void;
}): ReactNode {
  if (isFiltered) {
    return (
      <Empty
        title="No device matches."
        actions={
          <Button variant="default" onClick={onShowAll}>
            Remove all filters
          </Button>
        }
      >
        Every filter has to hold. Search looks at names, groups, classes and tags.
      </Empty>
    );
  }
  return (
    <Empty
      title="There are no devices yet."
      actions={mayAdd && <Link to="/welcome">Connect your first device</Link>}
    >
      {mayAdd
        ? 'A device is added here, gets a claim, and enrolls with it by itself.'
        : 'Nobody has added one that you may see. Ask an administrator or an installer.'}
    </Empty>
  );
}
