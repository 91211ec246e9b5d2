import { inWords } from '../../deploy/left.plan.js';
import type { Check } from '../model.js';
import { info, warning } from './finding.js';

/** What an earlier file made and this one no longer names. */
export const leftBehind: Check = ({ left }) =>
  left === undefined
    ? []
    : [
        ...inWords(left).map(({ name, subject, ...body }) => (name === 'bucket-left' ? info : warning)(name, subject, body)),
        ...(left.unread === undefined
          ? []
          : [
              warning('not-checked', 'what an earlier file left behind', {
                ...{ message: left.unread, looksLike: 'unknown', fix: 'get the permission named, and run the doctor again' },
              }),
            ]),
      ];
