/** Who is signed in, the theme, and the way out. @module */
import { Button, Menu, useMantineColorScheme } from '@mantine/core';
import { CircleUser, Monitor, Moon, Sun } from 'lucide-react';
import type { ReactNode } from 'react';
import { useNavigate } from 'react-router';
import { ask } from '../api/ask.ts';
import { useMe } from '../api/use-me.ts';
import { personName } from '../parts/person-name.ts';
import { leave } from './leave.ts';

const SCHEMES = [
  { value: 'light', label: 'Light', icon: Sun },
  { value: 'dark', label: 'Dark', icon: Moon },
  { value: 'auto', label: 'As the system', icon: Monitor },
] as const;

/** The menu. */
export function PersonMenu(): ReactNode {
  const me = useMe();
  const navigate = useNavigate();
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const name = personName(me.data?.principal ?? '');
  const signOut = async (): Promise<void> => {
    await ask('/v1/sign-out', { method: 'POST' });
    leave();
  };
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <Button variant="subtle" color="gray" leftSection={<CircleUser size={18} />}>
          {name}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{me.data?.role.replaceAll('-', ' ')}</Menu.Label>
        <Menu.Item onClick={() => void navigate('/account')}>Your sign-in</Menu.Item>
        <Menu.Divider />
        <Menu.Label>Colors</Menu.Label>
        {SCHEMES.map(({ value, label, icon: Icon }) => (
          <Menu.Item
            key={value}
            leftSection={<Icon size={16} />}
            rightSection={colorScheme === value ? '✓' : undefined}
            onClick={() => setColorScheme(value)}
          >
            {label}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item onClick={() => void signOut()}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
