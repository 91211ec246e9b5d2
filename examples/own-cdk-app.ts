import { Stack } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { HalcyonBucket, HalcyonUser } from '../lib/index.js';

export class Packages extends Stack {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    const bucket = new HalcyonBucket(this, 'Packages');
    new HalcyonUser(this, 'Builder', { bucket, team: 'payments', access: 'upload' });
  }
}
