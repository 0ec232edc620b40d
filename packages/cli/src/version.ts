/** The version of Holdfast; all its packages have one. @module */
import manifest from '../package.json' with { type: 'json' };

export const VERSION: string = manifest.version;
