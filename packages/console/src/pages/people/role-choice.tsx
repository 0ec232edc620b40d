import type { PersonRole } from '@holdfast/protocol/api';
/** Chooses a role, with what it may do. @module */
import { Radio, Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { ROLES, roleText } from './roles.ts';

/** The choice. */
export function RoleChoice({
  value,
  onChange,
}: {
  readonly value: PersonRole;
  readonly onChange: (role: PersonRole) => void;
}): ReactNode {
  return (
    <Radio.Group
      label="Role"
      description="What it may do by default; the policy decides."
      value={value}
      onChange={(chosen) => {
        const known = ROLES.find(({ role }) => role === chosen);
        if (known !== undefined) onChange(known.role);
      }}
    >
      <Stack gap="xs" mt="sm">
        {ROLES.map(({ role, may }) => (
          <Radio key={role} value={role} label={roleText(role)} description={may} />
        ))}
      </Stack>
    </Radio.Group>
  );
}
