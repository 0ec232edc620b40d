/** A button that a thumb can hit. @module */
import type { ReactNode } from 'react';
import styles from './controls.module.css';

/** How a button is. */
export interface ButtonProps {
  readonly kind?: 'main' | 'danger' | 'plain' | 'normal';
  readonly type?: 'button' | 'submit';
  readonly isWide?: boolean;
  readonly isDisabled?: boolean;
  readonly label?: string;
  readonly onPress?: () => void;
  readonly children: ReactNode;
}

export function Button(props: ButtonProps): ReactNode {
  const { kind = 'normal', type = 'button', isWide = false, isDisabled = false } = props;
  return (
    <button
      className={styles['button']}
      data-kind={kind}
      data-wide={isWide}
      // oxlint-disable-next-line react/button-has-type -- it is one of two words
      type={type}
      disabled={isDisabled}
      aria-label={props.label}
      onClick={props.onPress}
    >
      {props.children}
    </button>
  );
}
