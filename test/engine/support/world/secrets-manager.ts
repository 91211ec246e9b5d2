import type { KeyPair } from '../../../../lib/contract/index.js';
import { secretVersionId, STAGES } from '../../../../lib/contract/index.js';
import type { SecretsPort } from '../../../../lib/engine/ports/ports.js';
import { KitError } from '../../../../lib/errors.js';
import type { Process } from './process.js';

/** Secrets and their versions, by name and version id. */
export class SecretsManager {
  readonly all = new Map<string, Map<string, { keyId: string; secret: string; stages: Set<string> }>>();

  port(process: Process): SecretsPort {
    const versionsOf = (name: string) => {
      const versions = this.all.get(name);
      if (versions === undefined) throw new KitError('state-changed', `no secret ${name}`);
      return versions;
    };
    return {
      read: (name, keyIds) =>
        process.look('GetSecretValue', () => {
          const versions = this.all.get(name);
          return (
            versions &&
            [...versions].map(([versionId, { keyId, secret, stages }]) => ({
              versionId,
              keyId,
              stages: [...stages],
              ...(keyIds.includes(keyId) ? { secret } : {}),
            }))
          );
        }),
      putPending: (name, key: KeyPair) =>
        process.effect('PutSecretValue', () => {
          const versions = versionsOf(name);
          const id = secretVersionId(key.accessKeyId);
          if (versions.has(id)) return;
          for (const { stages } of versions.values()) stages.delete(STAGES.pending);
          // The first version of a secret is current, whatever it is put with.
          versions.set(id, {
            keyId: key.accessKeyId,
            secret: key.secretAccessKey,
            stages: new Set([STAGES.pending, ...(versions.size === 0 ? [STAGES.current] : [])]),
          });
        }),
      promote: (name, versionId, from) =>
        process.effect('UpdateSecretVersionStage', () => {
          const versions = versionsOf(name);
          const holder = [...versions].find(([, { stages }]) => stages.has(STAGES.current))?.[0];
          if (holder !== from) throw new KitError('state-changed', 'AWSCURRENT is elsewhere');
          if (holder === versionId) return;
          for (const { stages } of versions.values()) stages.delete(STAGES.previous);
          if (holder !== undefined) {
            versions.get(holder)?.stages.delete(STAGES.current);
            versions.get(holder)?.stages.add(STAGES.previous);
          }
          versions.get(versionId)?.stages.add(STAGES.current);
        }),
      dropPending: (name, versionId) =>
        process.effect('UpdateSecretVersionStage', () => {
          if (!versionsOf(name).get(versionId)?.stages.delete(STAGES.pending)) throw new KitError('state-changed', 'not pending');
        }),
      delete: (name) => process.effect('DeleteSecret', () => void this.all.delete(name)),
    };
  }
}
