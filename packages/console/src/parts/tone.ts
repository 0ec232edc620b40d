/** How good or bad a thing is; each tone has a color in both themes, and is never told by color alone. @module */
export type Tone = 'good' | 'warn' | 'bad' | 'info' | 'calm';
