#!/usr/bin/env node
// By its path: it tells what to do also where npm has installed nothing.
import { launch } from '../../device/bin/launch.js';

await launch(new URL('../src/main.ts', import.meta.url));
