#!/usr/bin/env node
import { loadConfig } from '../lib/config/index.js';
import { isKitError } from '../lib/errors.js';
import { redact } from '../lib/io/redaction.js';
import { buildApp } from '../lib/stacks/app.js';

// The CDK app, as cdk.json runs it: `cdk deploy halcyon-TEAM`. Context: `-c config=FILE`, `-c protect=false`.
const context = JSON.parse(process.env.CDK_CONTEXT_JSON ?? '{}') as Record<string, unknown>;
try {
  const config = await loadConfig(String(context.config ?? process.env.HALCYON_CONFIG ?? 'halcyon.yaml'));
  buildApp(config, { protect: !['false', false].includes(context.protect as string | boolean) }).synth();
} catch (error) {
  if (!isKitError(error)) throw error;
  console.error(redact(error.message));
  process.exitCode = 1;
}
