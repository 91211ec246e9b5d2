import { DEFAULT_POLICY, type KeyState, type Policy } from '../../engine/model.js';
import type { Check } from '../model.js';
import { broken, CACHE_MISS, info, warning } from './finding.js';
import { ofPrincipals } from './principals.js';

/** A day and a time, the day where it is another than `at`'s. */
const until = (ms: number, at: string): string => {
  const [day = '', time = ''] = new Date(ms).toISOString().split('T');
  return `${at.startsWith(day) ? '' : `${day} `}${time.slice(0, 5)} UTC`;
};

/** When a key that is inactive may be deleted, ms; undefined where none soaks. */
export const soaksUntil = ({ status, inactiveSince, refused }: KeyState, { soak }: Pick<Policy, 'soak'>): number | undefined =>
  status === 'Inactive' && inactiveSince !== undefined && refused !== 'revoked' ? Date.parse(inactiveSince) + soak : undefined;

/** An emergency that has not come to its end. */
export const leaked = ofPrincipals(function* ({ keys }, { apps, team }) {
  for (const key of keys.filter(({ refused }) => refused === 'revoked')) {
    const held = apps.filter(({ vars }) => vars.HALCYON_AWS_ACCESS_KEY_ID === key.id).map(({ name }) => name);
    const who = held.length === 0 ? 'no app holds it' : `without a working key: ${held.join(', ')}`;
    yield broken('key-leaked', {
      message: `${key.id} has leaked and is ${key.status.toLowerCase()}; ${who}`,
      looksLike: CACHE_MISS,
      fix: `to go on: halcyon-kit rotate ${team.name} --emergency ${key.id}`,
    });
  }
});

/** Keys that soak, and those that are due. */
export const ageing = (policy: Pick<Policy, 'soak' | 'maxAge'> = DEFAULT_POLICY): Check =>
  ofPrincipals(function* ({ keys, current, declared }, { team }, { at }) {
    const now = Date.parse(at);
    for (const key of keys) {
      const end = soaksUntil(key, policy);
      const finish = `halcyon-kit rotate ${team.name} --finish`;
      if (end !== undefined)
        yield info('key-soaking', {
          message: end > now ? `${key.id} soaks until ${until(end, at)}` : `${key.id} has soaked`,
          fix: end > now ? `then: ${finish}` : `run ${finish}`,
        });
      const age = now - Date.parse(key.createdAt);
      if (declared && key.id === current && age > policy.maxAge)
        yield warning('key-due', {
          message: `${key.id} is ${Math.floor(age / 86_400_000)} days old`,
          fix: `run halcyon-kit rotate ${team.name} --due --max-age ${policy.maxAge / 86_400_000}d`,
        });
    }
  });
