import { inWords } from '../../deploy/left.plan.js';
import type { Check } from '../model.js';
import { about, info, warning } from './finding.js';

/** What an earlier file made and this one no longer names. */
export const leftBehind: Check = ({ left }) =>
  left === undefined
    ? []
    : [
        ...inWords(left).flatMap(({ name, subject, ...body }) => about(subject, [(name === 'bucket-left' ? info : warning)(name, body)])),
        ...(left.unread === undefined
          ? []
          : about('what an earlier file left behind', [
              warning('not-checked', {
                message: left.unread,
                looksLike: 'unknown',
                fix: 'get the permission named, and run the doctor again',
              }),
            ])),
      ];
