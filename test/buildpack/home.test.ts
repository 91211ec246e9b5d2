import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, afterEach, expect, test } from 'vitest';
import { createAws } from '../../lib/aws/aws.js';
import { withBuildpackHomes } from '../../lib/buildpack/home.client.js';
import { buildpackEnvironments } from '../../lib/config/environments.js';
import { networkOf } from '../../lib/network/network.js';
import { exampleConfig } from '../support/config.js';

const s3 = mockClient(S3Client);
afterAll(() => s3.restore());
afterEach(() => s3.reset());
const config = exampleConfig();
const seen = () => withBuildpackHomes(config, config.teams, (region) => createAws({ region, network: networkOf({}) }));
const bucket = (Name: string, year: number) => ({ Name, CreationDate: new Date(`${year}-01-01`) });

test('the newest home of the account counts, whatever else is listed', async () => {
  s3.on(ListBucketsCommand).resolves({
    Buckets: [
      bucket('halcyon-kit-buildpack-111122223333-eu-west-1', 2025),
      bucket('halcyon-kit-buildpack-111122223333-sa-east-1', 2026),
      bucket('halcyon-kit-buildpack-444455556666-us-west-2', 2027),
      bucket('packages', 2028),
    ],
  });
  const found = await seen();
  expect(found.buildpackHomes).toEqual({ '111122223333': ['sa-east-1', 'eu-west-1'] });
  expect(buildpackEnvironments(found)).toEqual([{ account: '111122223333', region: 'sa-east-1' }]);
});

test('who may not list buckets goes on as if there were no home', async () => {
  s3.on(ListBucketsCommand).rejects(Object.assign(new Error('no'), { name: 'AccessDenied' }));
  expect(await seen()).toEqual(config);
});

test('an answer that fails moves no home', async () => {
  s3.on(ListBucketsCommand).rejects(Object.assign(new Error('slow'), { name: 'SlowDown' }));
  await expect(seen()).rejects.toMatchObject({ code: 'aws-throttled' });
});
