import { errorAnswer, whole, withBody, type Answer } from '../front/answer.js';
import type { Call } from '../front/call.js';
import { inTurn } from '../front/in-turn.js';
import type { Front, Rule } from '../front/rule.js';
import { SecretStore, type Stages } from '../front/secret-store.js';

/**
 * - A secret made without a value has no version. MiniStack makes an empty one, labelled AWSCURRENT.
 * - The first version a secret gets is AWSCURRENT, whatever labels it is put with.
 * - A label is on one version at most: putting a version with a label takes it from the one that had it.
 * - Putting a version again under its ClientRequestToken changes nothing; other content under it is refused.
 */
export const secretVersions: Rule = {
  name: 'secret-versions',
  source:
    'Secrets Manager API reference: CreateSecret, PutSecretValue, DescribeSecret; user guide, "What\'s in a Secrets Manager secret?" (a staging label is attached to one version at a time)',
  applies: (call) => call.service === 'secretsmanager' && call.operation in HANDLERS,
  handle: (call, front, next) => (HANDLERS[call.operation] as Handler)(call, front, next),
};

type Handler = Rule['handle'];
type Json = Record<string, unknown>;

const HANDLERS: Readonly<Record<string, Handler>> = {
  GetSecretValue: async (call, _front, next) => {
    const answer = await whole(await next());
    if (answer.status !== 200) return answer;
    const value = parse(answer);
    if (value.SecretString || value.SecretBinary) return answer;
    const label = String(call.parameters.VersionStage ?? 'AWSCURRENT');
    return errorAnswer(call, {
      status: 400,
      code: 'ResourceNotFoundException',
      message: `Secrets Manager can't find the specified secret value for staging label: ${label}`,
    });
  },
  PutSecretValue: put,
  UpdateSecret: put,
  DescribeSecret: (call, front, next) =>
    rewritten(next, async (body) => {
      await showVersions(body, 'VersionIdsToStages', store(call, front));
    }),
  ListSecrets: (call, front, next) =>
    rewritten(next, async (body) => {
      for (const secret of (body.SecretList ?? []) as Json[]) await showVersions(secret, 'SecretVersionsToStages', store(call, front));
    }),
  ListSecretVersionIds: (call, front, next) =>
    rewritten(next, async (body) => {
      const versions = (body.Versions ?? []) as Array<{ VersionId: string; VersionStages?: string[] }>;
      const stages = Object.fromEntries(versions.map((version) => [version.VersionId, version.VersionStages ?? []]));
      const phantom = await store(call, front).phantom(String(body.ARN), stages);
      const hidden = front.knowledge.phantomVersions;
      body.Versions = versions.filter(
        ({ VersionId, VersionStages }) =>
          VersionId !== phantom &&
          !hidden.has(VersionId) &&
          (call.parameters.IncludeDeprecated === true || (VersionStages ?? []).length > 0),
      );
    }),
};

const store = (call: Call, front: Front): SecretStore => new SecretStore(front.upstream, call.region ?? 'us-east-1');
const parse = (answer: { body: Buffer }): Json => JSON.parse(answer.body.toString('utf8')) as Json;

async function rewritten(next: () => Promise<Answer>, change: (body: Json) => Promise<void>): Promise<Answer> {
  const answer = await whole(await next());
  if (answer.status !== 200) return answer;
  const body = parse(answer);
  await change(body);
  return withBody(answer, JSON.stringify(body));
}

/** Versions without a label are deprecated, and not told of. */
async function showVersions(secret: Json, field: string, secrets: SecretStore): Promise<void> {
  const stages = secret[field] as Stages | undefined;
  if (stages === undefined) return;
  const phantom = await secrets.phantom(String(secret.ARN), stages);
  const shown = Object.entries(stages).filter(([id, labels]) => id !== phantom && labels.length > 0);
  if (shown.length > 0) secret[field] = Object.fromEntries(shown);
  else delete secret[field];
}

function put(call: Call, front: Front, next: () => Promise<Answer>): Promise<Answer> {
  const id = String(call.parameters.SecretId);
  return inTurn(front, `secret:${call.region}:${id}`, async () => {
    const secrets = store(call, front);
    const before = await secrets.describe(id);
    const token = call.parameters.ClientRequestToken;
    if (before !== undefined && typeof token === 'string' && token in before.stages && call.operation === 'PutSecretValue') {
      return again(call, secrets, token, before);
    }
    const phantom = before === undefined ? undefined : await secrets.phantom(before.arn, before.stages);
    const answer = await whole(await next());
    if (answer.status !== 200 || before === undefined) return answer;
    const body = parse(answer);
    const version = body.VersionId as string | undefined;
    if (version === undefined || version === phantom) return answer;
    for (const label of (body.VersionStages ?? []) as string[]) await secrets.moveLabel(before.arn, label, version);
    if (phantom !== undefined) {
      front.knowledge.phantomVersions.add(phantom);
      await secrets.moveLabel(before.arn, 'AWSCURRENT', version);
      await secrets.strip(before.arn, phantom);
    }
    if (call.operation !== 'PutSecretValue') return answer;
    const after = await secrets.describe(before.arn);
    return withBody(answer, JSON.stringify({ ...body, VersionStages: after?.stages[version] ?? body.VersionStages }));
  });
}

async function again(
  call: Call,
  secrets: SecretStore,
  version: string,
  before: { arn: string; name: string; stages: Stages },
): Promise<Answer> {
  const { SecretString = undefined, SecretBinary = undefined } = call.parameters;
  const stored = await secrets.value(before.arn, { VersionId: version });
  if (stored?.SecretString !== SecretString || stored?.SecretBinary !== SecretBinary) {
    const message = `You can't use ClientRequestToken ${version} because that value is already in use for a version of secret ${before.arn}.`;
    return errorAnswer(call, { status: 400, code: 'ResourceExistsException', message });
  }
  const body = Buffer.from(
    JSON.stringify({ ARN: before.arn, Name: before.name, VersionId: version, VersionStages: before.stages[version] }),
  );
  return { status: 200, headers: ['Content-Type', 'application/x-amz-json-1.1', 'Content-Length', String(body.length)], body };
}
