import { GetSecretValueCommand, ListSecretVersionIdsCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { expect, test } from 'vitest';
import { createAws } from '../../../lib/aws/aws.js';
import { formatSecretValue, secretVersionId } from '../../../lib/contract/index.js';
import { awsSecrets } from '../../../lib/engine/ports/secrets-manager.client.js';

const good = { accessKeyId: 'AKIAGOOD', secretAccessKey: 'a-secret-of-forty-characters-or-so-long' };

test('a labelled version that holds no key stops no look, and its label can still be moved', async () => {
  const mock = mockClient(SecretsManagerClient);
  mock.on(ListSecretVersionIdsCommand).resolves({
    Versions: [
      { VersionId: 'by-hand', VersionStages: ['AWSCURRENT'] },
      { VersionId: secretVersionId(good.accessKeyId), VersionStages: ['AWSPREVIOUS'] },
    ],
  });
  mock.on(GetSecretValueCommand, { VersionId: 'by-hand' }).resolves({ SecretString: 'not what it should be' });
  mock.on(GetSecretValueCommand, { VersionId: secretVersionId(good.accessKeyId) }).resolves({ SecretString: formatSecretValue(good) });
  expect(await awsSecrets(createAws({ region: 'eu-west-1' })).read('halcyon/team/upload', [good.accessKeyId])).toEqual([
    { versionId: 'by-hand', stages: ['AWSCURRENT'], keyId: 'by-hand' },
    { versionId: secretVersionId(good.accessKeyId), stages: ['AWSPREVIOUS'], keyId: good.accessKeyId, secret: good.secretAccessKey },
  ]);
  mock.restore();
});
