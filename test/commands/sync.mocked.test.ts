import { expect, test, vi } from 'vitest';
import type { CommandHost } from '../../lib/cli/command.js';
import { sync } from '../../lib/commands/sync.js';
import { silentIo } from '../../lib/io/io-host.js';

const held = vi.hoisted(() => ({
  ...{ team: 'payments', status: 'failed', summary: 'someone else is at work', error: { code: 'lease-held', message: 'someone else' } },
  ...{ waiting: [], blocked: [], notices: [], left: [], evidence: [] },
}));
vi.mock('../../lib/cli/session.js', () => ({
  openSession: async () => ({ config: { buildpack: {} }, teams: [], heroku: async () => ({ remaining: () => 1 }) }),
  admit: async (session: unknown) => session,
}));
vi.mock('../../lib/cli/preview.js', () => ({
  preview: async () => ({ teams: [{ plan: { blocked: [{ code: 'key-unlisted' }] } }], buildpacks: [], changes: false, blocked: true }),
  renderPreview: () => '',
}));
vi.mock('../../lib/buildpack/served.client.js', () => ({ refuseTampered: async () => {} }));
vi.mock('../../lib/buildpack/signing.js', () => ({ signingBuildpackUrl: async () => undefined }));
vi.mock('../../lib/cli/run-teams.js', () => ({
  runTeams: async () => [held],
  runWithBuildpacks: (_: unknown, __: unknown, run: () => unknown) => run(),
}));

test('what came of a run that began with nothing to change is told, and is the exit code', async () => {
  const confirm = vi.fn();
  const host = { io: silentIo, confirm, evidence: { note() {} }, signal: new AbortController().signal } as unknown as CommandHost;
  const result = await sync([], { config: 'halcyon.yaml', yes: true } as Parameters<typeof sync>[1], host);
  expect(result).toMatchObject({ exitCode: 2, data: { outcomes: [held] }, text: expect.stringContaining('someone else is at work') });
  expect(confirm).not.toHaveBeenCalled();
});
