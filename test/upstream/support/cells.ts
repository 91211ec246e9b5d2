import { accessOf, type Access, type Mode } from '../../../lib/contract/index.js';
import { EVERY } from '../../support/every.js';

/** Where a cell's packages are kept. */
type BucketKind = 'own' | 'shared prefix' | 'existing, slash prefix';

/** One way of using Halcyon. */
export interface Cell {
  readonly mode: Mode;
  readonly clean: boolean;
  readonly signing: 2 | 4;
  /** Undefined in mode `public`. */
  readonly bucket?: BucketKind;
}

/** The cells in which the stand-in for haskell-on-heroku is held against the real one: each access, each kind of place, either signature. */
const ALL: readonly Cell[] = [
  { mode: 'public', clean: true, signing: 2 },
  { mode: 'read-only', clean: true, signing: 2, bucket: 'shared prefix' },
  { mode: 'upload', clean: true, signing: 4, bucket: 'existing, slash prefix' },
  { mode: 'upload', clean: false, signing: 2, bucket: 'own' },
];
/** Without HALCYON_EVERY=1 not this one, which heroku-stand-in.test.ts has. */
export const CELLS = ALL.filter(({ mode }) => EVERY || mode !== 'read-only');

export const accessOfCell = (cell: Cell): Access | undefined => accessOf(cell.mode, cell.clean);

export const label = (cell: Cell): string => [accessOfCell(cell) ?? 'public', `v${cell.signing}`, cell.bucket ?? '-'].join(' | ');
