import { errorAnswer, whole, xmlText } from '../front/answer.js';
import type { Call } from '../front/call.js';
import type { Front, Rule } from '../front/rule.js';

/** A new access key is not known everywhere at once; until it is, services disagree, and so may two calls to one service. */
export const newKeyDelay: Rule = {
  name: 'new-key-delay',
  source: 'IAM user guide, "Troubleshoot IAM: changes that I make are not always immediately visible" (eventual consistency)',
  applies: (call, front) => isCreation(call) || isYoung(call, front),
  async handle(call, front, next) {
    if (isYoung(call, front) && Math.random() >= front.settings.keyDelayAccept) return unknownKey(call);
    const answer = await next();
    if (!isCreation(call) || answer.status !== 200) return answer;
    const made = await whole(answer);
    const id = xmlText(made.body.toString('utf8'), 'AccessKeyId');
    if (id !== undefined) front.knowledge.births.set(id, Date.now());
    return made;
  },
};

const isCreation = (call: Call): boolean => call.service === 'iam' && call.operation === 'CreateAccessKey';

function isYoung(call: Call, front: Front): boolean {
  const born = front.knowledge.births.get(call.signature.accessKeyId ?? '');
  const { keyDelayMs, keyDelayByService } = front.settings;
  return born !== undefined && Date.now() - born < (keyDelayByService[call.service] ?? keyDelayMs);
}

/** The words each service has for a key it does not know. */
export function unknownKey(call: Call) {
  const id = call.signature.accessKeyId ?? '';
  if (call.service === 's3') {
    const message = 'The AWS Access Key Id you provided does not exist in our records.';
    return errorAnswer(call, { status: 403, code: 'InvalidAccessKeyId', message, details: { AWSAccessKeyId: id } });
  }
  const message = 'The security token included in the request is invalid.';
  const isJson = call.request.headers['x-amz-target'] !== undefined;
  return errorAnswer(
    call,
    isJson ? { status: 400, code: 'UnrecognizedClientException', message } : { status: 403, code: 'InvalidClientTokenId', message },
  );
}
