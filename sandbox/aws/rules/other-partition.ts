import { partitionOf } from '../../../lib/config/regions.js';
import type { Rule } from '../front/rule.js';
import { unknownKey } from './new-key-delay.js';

/** An account is in one partition, and its keys are known there alone. */
export const otherPartition: Rule = {
  name: 'other-partition',
  source: 'AWS Fault Isolation Boundaries (whitepaper), "Partitions": IAM credentials of one partition do not work in another',
  applies: ({ signature, region }, front) =>
    signature.accessKeyId !== undefined && region !== undefined && partitionOf(region) !== front.partition,
  handle: (call) => Promise.resolve(unknownKey(call)),
};
