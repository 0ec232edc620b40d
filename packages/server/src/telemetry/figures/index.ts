/** What the server has counted, over time. @module */
export { Figures, type FiguresDeps, type RecentRefusals, type Traffic } from './figures.ts';
