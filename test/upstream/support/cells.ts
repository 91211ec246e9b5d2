import { accessOf, type Access, type Acl, type Mode } from '../../../lib/contract/index.js';

/** Where a cell's packages are kept. */
type BucketKind = 'own' | 'shared prefix' | 'existing, slash prefix';

/** One way of using Halcyon. */
export interface Cell {
  readonly mode: Mode;
  readonly clean: boolean;
  readonly signing: 2 | 4;
  /** Undefined in mode `public`. */
  readonly bucket?: BucketKind;
  readonly acl?: Acl;
}

/** Cells that are one and the same: what is left of them, and why. */
export interface Collapsed {
  readonly cells: string;
  readonly reason: string;
}

const BUCKETS: readonly BucketKind[] = ['own', 'shared prefix', 'existing, slash prefix'];
const SIGNINGS = [2, 4] as const;
const ACLS: readonly Acl[] = ['bucket-owner-full-control', 'private'];

export const COLLAPSED: readonly Collapsed[] = [
  { cells: 'public × bucket × ACL', reason: 'no bucket in this mode, so there is nothing to sign for, no prefix and no ACL' },
  { cells: 'read-only × ACL', reason: 'nothing is uploaded, so no ACL is ever sent; the bucket’s ownership rule does not touch reads' },
  { cells: 'a build without an archive × ACL private', reason: 'such a build uploads nothing; done with the other ACL' },
];

/** Whether the cell begins with a build that finds no archive. */
export const looksFirst = (cell: Cell): boolean => cell.acl !== 'private';

export function cells(): Cell[] {
  const writing = (clean: boolean) =>
    SIGNINGS.flatMap((signing) => BUCKETS.flatMap((bucket) => ACLS.map((acl): Cell => ({ mode: 'upload', clean, signing, bucket, acl }))));
  return [
    ...SIGNINGS.map((signing): Cell => ({ mode: 'public', clean: true, signing })),
    ...SIGNINGS.flatMap((signing) =>
      BUCKETS.map((bucket): Cell => ({ mode: 'read-only', clean: true, signing, bucket, acl: 'bucket-owner-full-control' })),
    ),
    ...writing(true),
    ...writing(false),
  ];
}

export const accessOfCell = (cell: Cell): Access | undefined => accessOf(cell.mode, cell.clean);

export const label = (cell: Cell): string =>
  [accessOfCell(cell) ?? 'public', `v${cell.signing}`, cell.bucket ?? '-', (cell.mode === 'upload' && cell.acl) || '-'].join(' | ');
