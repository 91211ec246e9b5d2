import { DeleteObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { expect, test, vi } from 'vitest';
import { createAws } from '../../lib/aws/aws.js';
import { principalsOf } from '../../lib/config/index.js';
import type { TeamBucket } from '../../lib/config/model.js';
import { principalLabel, userName } from '../../lib/contract/index.js';
import { probePrincipal } from '../../lib/doctor/probes.client.js';
import { Vault } from '../../lib/engine/run/vault.js';
import { networkOf } from '../../lib/network/network.js';
import type { HalcyonRequest } from '../../lib/storage/halcyon-requests.js';
import { exampleConfig } from '../support/config.js';

/** Whatever is asked for is done, but that its uploader may take nothing away. */
vi.mock('../../lib/storage/halcyon-requests.js', async (original) => ({
  ...(await original<object>()),
  halcyonRequest: async (_: unknown, { operation }: HalcyonRequest) => ({ operation, status: operation === 'delete' ? 403 : 200 }),
}));

test('an object that the operator may not remove either is told of, and ends no doctor', async () => {
  const s3 = mockClient(S3Client);
  s3.on(DeleteObjectCommand).rejects(Object.assign(new Error('not you'), { name: 'AccessDenied' }));
  const config = exampleConfig();
  const team = config.teams[0]!;
  const id = principalsOf(team).find(({ access }) => access === 'upload')!;
  const vault = new Vault();
  vault.put('AKIA', 'a-secret-of-forty-characters-or-so-long');
  const principal = {
    ...{ id, label: principalLabel(id), user: userName(id), declared: true, exists: true, current: 'AKIA' },
    ...{ secret: 'present' as const, keys: [], versions: {}, unread: [] },
  };
  const aws = createAws({ region: 'eu-west-1', network: networkOf({}) });
  const bucket = team.bucket as TeamBucket;
  const { probe } = await probePrincipal({ config, team, bucket, principals: [principal], aws, writeProbe: true }, principal, vault);
  expect(probe?.results.map(({ operation, status }) => [operation, status])).toEqual([
    ['download', 200],
    ['list', 200],
    ['upload', 200],
    ['delete', 403],
  ]);
  expect(probe?.left).toMatch(/^not allowed to remove s3:\/\/\S+halcyon-kit-doctor\/\S+: not you$/);
  s3.restore();
});
