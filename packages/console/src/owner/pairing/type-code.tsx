/** The two fields for a code that is typed or pasted. @module */
import { type FormEvent, type ReactNode, useState } from 'react';
import { Message } from '../../parts/message.tsx';
import { Button } from '../parts/button.tsx';
import { Field } from '../parts/field.tsx';
import { type ReadCode, grouped, readScanned, readTyped } from './read-code.ts';
import controls from '../parts/controls.module.css';

export function TypeCode({ onCode }: { readonly onCode: (code: ReadCode) => void }): ReactNode {
  const [of, setOf] = useState('');
  const [code, setCode] = useState('');
  const [wrong, setWrong] = useState<string>();
  /** The whole text of a code may be pasted into either field. */
  const take = (text: string, set: (text: string) => void): void => {
    setWrong(undefined);
    const whole = readScanned(text);
    if (whole === undefined) set(text);
    else onCode(whole);
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const read = readTyped(of, code);
    if (typeof read === 'string') setWrong(read);
    else onCode(read);
  };
  return (
    <form className={controls['stack']} onSubmit={submit}>
      <Field
        label="Name of the device"
        hint="As its label or display shows it, such as pump-1."
        value={of}
        onText={(text) => take(text, setOf)}
      />
      <Field
        label="Code"
        hint="16 letters and digits, such as 4K2M-…"
        isMono
        autoCapitalize="characters"
        placeholder="XXXX-XXXX-XXXX-XXXX"
        value={code}
        onText={(text) => take(text, (typed) => setCode(grouped(typed)))}
      />
      {wrong !== undefined && <Message tone="warn" title={wrong} />}
      <Button kind="main" type="submit" isWide>
        Continue
      </Button>
    </form>
  );
}
