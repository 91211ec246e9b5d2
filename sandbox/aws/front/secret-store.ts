import type { Upstream } from './upstream.js';

/** Labels by version id. */
export type Stages = Readonly<Record<string, readonly string[]>>;

type Json = Record<string, unknown>;

/** Secrets Manager as root, to look into a secret's versions and put its labels right. */
export class SecretStore {
  constructor(
    private readonly upstream: Upstream,
    private readonly region: string,
  ) {}

  async describe(id: string): Promise<{ arn: string; name: string; stages: Stages } | undefined> {
    const found = await this.ask('DescribeSecret', { SecretId: id });
    return found === undefined
      ? undefined
      : { arn: String(found.ARN), name: String(found.Name), stages: (found.VersionIdsToStages ?? {}) as Stages };
  }

  value(id: string, which: { VersionId?: string; VersionStage?: string }): Promise<Json | undefined> {
    return this.ask('GetSecretValue', { SecretId: id, ...which });
  }

  /** The empty version that stands for none: it is the only one with a label, AWSCURRENT, and holds nothing. */
  async phantom(arn: string, stages: Stages): Promise<string | undefined> {
    const labelled = Object.entries(stages).filter(([, labels]) => labels.length > 0);
    const [only] = labelled;
    if (labelled.length !== 1 || only?.[1].join() !== 'AWSCURRENT') return undefined;
    const value = await this.value(arn, { VersionId: only[0] });
    return value === undefined || value.SecretString || value.SecretBinary ? undefined : only[0];
  }

  /** Take `label` from whichever other versions have it, so that it is on `version` alone. */
  async moveLabel(arn: string, label: string, version: string): Promise<void> {
    const stages = (await this.describe(arn))?.stages ?? {};
    const others = Object.keys(stages).filter((id) => id !== version && stages[id]?.includes(label));
    const missing = stages[version]?.includes(label) !== true;
    const [first] = others;
    if (missing) {
      await this.ask('UpdateSecretVersionStage', {
        SecretId: arn,
        VersionStage: label,
        MoveToVersionId: version,
        RemoveFromVersionId: first,
      });
      return;
    }
    for (const id of others) {
      await this.ask('UpdateSecretVersionStage', { SecretId: arn, VersionStage: label, RemoveFromVersionId: id });
    }
  }

  /** Take all labels from `version`. */
  async strip(arn: string, version: string): Promise<void> {
    const labels = (await this.describe(arn))?.stages[version] ?? [];
    for (const label of labels)
      await this.ask('UpdateSecretVersionStage', { SecretId: arn, VersionStage: label, RemoveFromVersionId: version });
  }

  private async ask(operation: string, json: Json): Promise<Json | undefined> {
    const answer = await this.upstream.asRoot({
      service: 'secretsmanager',
      region: this.region,
      target: `secretsmanager.${operation}`,
      json,
    });
    return answer.status === 200 ? (JSON.parse(answer.body.toString('utf8')) as Json) : undefined;
  }
}
