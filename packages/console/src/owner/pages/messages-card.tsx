/** The last messages of a device as it sent them: words as well as numbers. @module */
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { listReadings } from '../owner-api.ts';
import { Button } from '../parts/button.tsx';
import { ProblemBox } from '../parts/problem.tsx';
import { contentText } from '../parts/value-text.ts';
import { When } from '../parts/when.tsx';
import controls from '../parts/controls.module.css';

const SHOWN = 10;

export function MessagesCard({ deviceId }: { readonly deviceId: string }): ReactNode {
  const [isOpen, setIsOpen] = useState(false);
  const { data, error } = useQuery({
    queryKey: ['messages', deviceId],
    queryFn: () => listReadings(deviceId, SHOWN),
    enabled: isOpen,
  });
  return (
    <div className={controls['card']}>
      <h2>Last messages</h2>
      {!isOpen && (
        <Button isWide onPress={() => setIsOpen(true)}>
          Show them
        </Button>
      )}
      {isOpen && data === undefined && error === null && <p role="status">Asking the server…</p>}
      {isOpen && data === undefined && <ProblemBox error={error} />}
      {data?.length === 0 && <p>It has sent none since you have it.</p>}
      {isOpen && data !== undefined && data.length > 0 && (
        <ol className={controls['stack']}>
          {data.map(({ index, at, topic, payload }) => (
            <li key={index}>
              <p className={controls['mono']}>{contentText(payload)}</p>
              <p className={controls['quiet']}>
                {topic.replace(`d/${deviceId}/`, '')} · <When at={at} />
              </p>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}
