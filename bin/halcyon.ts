#!/usr/bin/env node
import './quiet.js';
import { loadConfig } from '../lib/config/index.js';
import { isKitError } from '../lib/errors.js';
import { outgoing } from '../lib/io/redaction.js';
import { loadApp } from '../lib/stacks/load.js';

// The CDK app, as cdk.json runs it: `cdk deploy halcyon-TEAM`. Context: `-c config=FILE`, `-c protect=false`.
const context = JSON.parse(process.env.CDK_CONTEXT_JSON ?? '{}') as Record<string, unknown>;
try {
  const config = await loadConfig(String(context.config ?? process.env.HALCYON_CONFIG ?? 'halcyon.yaml'));
  const { buildApp } = await loadApp();
  const app = buildApp(config, { protect: String(context.protect) !== 'false' });
  // Set by the cdk CLI when it has credentials: synthesis without any asks nobody.
  const account = process.env.CDK_DEFAULT_ACCOUNT;
  if (account) {
    const { freeFailedCreations } = await import('../lib/deploy/failed-creations.client.js');
    for (const name of await freeFailedCreations(app, undefined, account))
      console.error(`${name}: its first deployment failed and was rolled back; it may go`);
  }
  app.synth();
} catch (error) {
  if (!isKitError(error)) throw error;
  console.error(outgoing(error.message));
  process.exitCode = 1;
}
