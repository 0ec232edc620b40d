/** Who would get a release, and why others would not. @module */
import type { ExclusionCode, RolloutForecast } from '@holdfast/protocol/api';
import type { ReactNode } from 'react';
import { Message } from '../../parts/message.tsx';
import { counted } from '../../parts/number-text.ts';

const EXCLUDED: Readonly<Record<ExclusionCode, string>> = {
  'hardware-unknown': 'nobody has told what hardware they are',
  hardware: 'the release is for other hardware',
  counter: 'they run a higher security counter, and would refuse it',
  'minimum-version': 'what they run is too old for it',
  'runs-it': 'they run it already',
  quarantined: 'they are quarantined',
  state: 'they are not active',
  'other-rollout': 'another rollout has them',
  forbidden: 'you may not update them',
};

/** The forecast. */
export function Forecast({ forecast }: { readonly forecast: RolloutForecast }): ReactNode {
  const { devices, asked, stages, excluded } = forecast;
  return (
    <Message
      tone={devices === 0 ? 'warn' : 'info'}
      title={`${counted(devices, 'device')} would get ${forecast.release}.`}
    >
      {asked > 0 && <p>The owners of {counted(asked, 'device')} would be asked.</p>}
      <ol>
        {stages.map((stage, at) => (
          <li key={`${at}/${stage.devices}`}>
            {counted(stage.devices, 'device')}
            {stage.listed.length > 0 && `: ${firstOf(stage.listed)}`}
          </li>
        ))}
      </ol>
      {excluded.map(({ code, devices: count, listed }) => (
        <p key={code}>
          {counted(count, 'device')} not: {EXCLUDED[code]} (
          {firstOf(listed.map(({ device }) => device))})
        </p>
      ))}
    </Message>
  );
}

const SHOWN = 5;

function firstOf(names: readonly string[]): string {
  const rest = names.length - SHOWN;
  return names.slice(0, SHOWN).join(', ') + (rest > 0 ? ', …' : '');
}
