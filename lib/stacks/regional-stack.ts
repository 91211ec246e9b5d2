import { Stack, Token } from 'aws-cdk-lib/core';
import { partitionOf } from '../config/regions.js';

/** Where the region of a stack is known, so is its partition: to find that, the CDK would load what it knows of every region, which takes a start a tenth of a second. */
export class RegionalStack extends Stack {
  override get partition(): string {
    return Token.isUnresolved(this.region) ? super.partition : partitionOf(this.region);
  }
}
