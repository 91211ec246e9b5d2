import { errorAnswer, whole, xmlText } from '../front/answer.js';
import type { Rule } from '../front/rule.js';
import { inTurn } from '../front/in-turn.js';

const QUOTA = 2;

/** A user has two access keys at most. */
export const twoKeys: Rule = {
  name: 'two-keys',
  source: 'IAM and AWS STS quotas: "Access keys assigned to an IAM user: 2"; CreateAccessKey, LimitExceeded',
  applies: (call) => call.service === 'iam' && call.operation === 'CreateAccessKey',
  handle: (call, front, next) =>
    // Two that come at once must not both see one key.
    inTurn(front, `keys:${String(call.parameters.UserName)}`, async () => {
      const answer = await whole(await next());
      if (answer.status !== 200) return answer;
      // MiniStack checks signature, policy and user, so it is asked first; the key it made beyond the quota goes again.
      const text = answer.body.toString('utf8');
      const user = xmlText(text, 'UserName') ?? '';
      const made = xmlText(text, 'AccessKeyId') ?? '';
      if ((await front.knowledge.keysOf(user)).length <= QUOTA) return answer;
      await front.upstream.asRoot({
        service: 'iam',
        region: 'us-east-1',
        form: { Version: '2010-05-08', Action: 'DeleteAccessKey', UserName: user, AccessKeyId: made },
      });
      return errorAnswer(call, { status: 409, code: 'LimitExceeded', message: `Cannot exceed quota for AccessKeysPerUser: ${QUOTA}` });
    }),
};
