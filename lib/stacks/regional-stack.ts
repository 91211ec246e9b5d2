import { Stack } from 'aws-cdk-lib/core';
import { partitionOf } from '../config/regions.js';

/** A stack whose region is known, and so its partition: to find that, the CDK would load what it knows of every region, which takes a start a tenth of a second. */
export class RegionalStack extends Stack {
  override get partition(): string {
    return partitionOf(this.region);
  }
}
