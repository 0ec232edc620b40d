/** The form for a command: its name, and values by name. @module */
import type { SendCommandRequest } from '@holdfast/protocol/api';
import { Plus, Send, X } from 'lucide-react';
import { type FormEvent, type ReactNode, useId, useState } from 'react';
import { Message } from '../../parts/message.tsx';
import { Button } from '../parts/button.tsx';
import { Field } from '../parts/field.tsx';
import { type CommandField, commandOf } from './command-fields.ts';
import controls from '../parts/controls.module.css';
import styles from './command-form.module.css';

/** What the form is given. */
export interface CommandFormProps {
  /** Names that were sent before, to choose from. */
  readonly names: readonly string[];
  readonly isBusy: boolean;
  readonly onSend: (command: SendCommandRequest) => void;
}

export function CommandForm({ names, isBusy, onSend }: CommandFormProps): ReactNode {
  const listId = useId();
  const [name, setName] = useState('');
  const [fields, setFields] = useState<readonly CommandField[]>([]);
  const [wrong, setWrong] = useState<string>();
  const change = (key: number, part: Partial<CommandField>): void =>
    setFields(fields.map((field) => (field.key === key ? { ...field, ...part } : field)));
  const add = (): void => {
    const key = Math.max(0, ...fields.map((field) => field.key)) + 1;
    setFields([...fields, { key, name: '', value: '' }]);
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const command = commandOf(name.trim(), fields);
    setWrong(typeof command === 'string' ? command : undefined);
    if (typeof command !== 'string') onSend(command);
  };
  return (
    <form className={controls['stack']} onSubmit={submit}>
      <Field
        label="Command"
        hint="As the maker of the device calls it, such as start."
        list={listId}
        value={name}
        onText={setName}
      />
      <datalist id={listId}>
        {names.map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
      {fields.map(({ key, name: of, value }) => (
        <fieldset key={key} className={styles['pair']}>
          <legend className={controls['hidden']}>Value {of}</legend>
          <Field label="Name" value={of} onText={(text) => change(key, { name: text.trim() })} />
          <Field label="Value" value={value} onText={(text) => change(key, { value: text })} />
          <Button
            kind="plain"
            label={`Remove the value ${of}`}
            onPress={() => setFields(fields.filter((field) => field.key !== key))}
          >
            <X size={18} aria-hidden="true" />
          </Button>
        </fieldset>
      ))}
      {wrong !== undefined && <Message tone="warn" title={wrong} />}
      <div className={styles['acts']}>
        <Button onPress={add}>
          <Plus size={18} aria-hidden="true" />
          Add a value
        </Button>
        <Button kind="main" type="submit" isDisabled={isBusy}>
          <Send size={18} aria-hidden="true" />
          {isBusy ? 'Sending…' : 'Send'}
        </Button>
      </div>
    </form>
  );
}
