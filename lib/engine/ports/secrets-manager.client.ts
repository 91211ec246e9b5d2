import type { Aws } from '../../aws/aws.js';
import { formatSecretValue, keyIdOfVersion, parseSecretValue, secretVersionId, STAGES, type KeyPair } from '../../contract/index.js';
import { isKitError } from '../../errors.js';
import { registerSecret } from '../../io/redaction.js';
import { guarded, isMissing } from '../../aws/errors.js';
import type { Guard, SecretsPort, SecretVersion } from './ports.js';

/** Secrets Manager, by way of the SDK. Secrets are found by name, and their labels are moved explicitly. */
export function awsSecrets(aws: Aws, guard?: Guard): SecretsPort {
  const effects = aws.once(guard);
  return {
    read: (name, keyIds) => guarded(`read secret ${name}`, () => readSecret(aws, name, keyIds)),
    putPending: (name, key) =>
      guarded(`store a key in secret ${name} (secretsmanager:PutSecretValue)`, async () => {
        registerSecret(key.secretAccessKey);
        const { PutSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
        await (
          await effects.secrets()
        ).send(
          new PutSecretValueCommand({
            SecretId: name,
            ClientRequestToken: secretVersionId(key.accessKeyId),
            SecretString: formatSecretValue(key),
            VersionStages: [STAGES.pending],
          }),
        );
      }),
    promote: (name, versionId, from) =>
      guarded(`make a key current in secret ${name}`, async () => {
        if (from === versionId) return;
        const { UpdateSecretVersionStageCommand } = await import('@aws-sdk/client-secrets-manager');
        const move = {
          SecretId: name,
          VersionStage: STAGES.current,
          MoveToVersionId: versionId,
          ...(from === undefined ? {} : { RemoveFromVersionId: from }),
        };
        await (await effects.secrets()).send(new UpdateSecretVersionStageCommand(move));
      }),
    dropPending: (name, versionId) =>
      guarded(`remove ${STAGES.pending} in secret ${name}`, async () => {
        const { UpdateSecretVersionStageCommand } = await import('@aws-sdk/client-secrets-manager');
        await (
          await effects.secrets()
        ).send(new UpdateSecretVersionStageCommand({ SecretId: name, VersionStage: STAGES.pending, RemoveFromVersionId: versionId }));
      }),
    delete: (name) =>
      guarded(`delete secret ${name}`, async () => {
        const { DeleteSecretCommand } = await import('@aws-sdk/client-secrets-manager');
        // At once: its keys are gone, and a secret waiting for deletion would keep the name from the next stack.
        await (
          await effects.secrets()
        )
          .send(new DeleteSecretCommand({ SecretId: name, ForceDeleteWithoutRecovery: true }))
          .catch((error: unknown) => {
            if (!isMissing(error, 'secret')) throw error;
          });
      }),
  };
}

/** What was read, by version: that of a key never changes under its id, and a run looks after every step. */
const known = new WeakMap<Aws, Map<string, KeyPair>>();

async function readSecret(aws: Aws, name: string, keyIds: readonly string[]): Promise<SecretVersion[] | undefined> {
  const { paginateListSecretVersionIds, GetSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
  const client = await aws.secrets();
  const found: Array<{ versionId: string; stages: string[] }> = [];
  try {
    for await (const page of paginateListSecretVersionIds({ client }, { SecretId: name, IncludeDeprecated: true })) {
      for (const { VersionId, VersionStages = [] } of page.Versions ?? [])
        if (VersionId) found.push({ versionId: VersionId, stages: VersionStages });
    }
  } catch (error) {
    if (isMissing(error, 'secret')) return undefined;
    throw error;
  }
  const values = known.get(aws) ?? new Map<string, KeyPair>();
  known.set(aws, values);
  const read = async ({ versionId, stages }: (typeof found)[number]): Promise<SecretVersion[]> => {
    const named = keyIdOfVersion(versionId);
    if (named === undefined ? stages.length === 0 : !keyIds.includes(named))
      return named === undefined ? [] : [{ versionId, stages, keyId: named }];
    const before = values.get(`${name} ${versionId}`);
    if (before !== undefined) return [{ versionId, stages, keyId: before.accessKeyId, secret: before.secretAccessKey }];
    try {
      const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId: name, VersionId: versionId }));
      if (named === undefined && SecretString === '') return [];
      const { accessKeyId: keyId, secretAccessKey: secret } = parseSecretValue(SecretString, name);
      if (named === keyId) values.set(`${name} ${versionId}`, { accessKeyId: keyId, secretAccessKey: secret });
      return [{ versionId, stages, keyId, secret }];
    } catch (error) {
      // Someone else's version stands under its own id, which is no key's: what labels it has can still be moved.
      if (isKitError(error, 'secret-malformed')) return [{ versionId, stages, keyId: named ?? versionId }];
      if (isMissing(error, 'secret')) return named === undefined ? [] : [{ versionId, stages, keyId: named }];
      throw error;
    }
  };
  return (await Promise.all(found.map(read))).flat();
}
