import { expect, test } from 'vitest';
import { parseConfig, principalOf } from '../../lib/config/index.js';
import type { Team } from '../../lib/config/model.js';

const names = Array.from({ length: 100 }, (_, index) => `app-${index}`);
const config = parseConfig(`teams:
  payments:
    bucket: { account: "111122223333", region: eu-west-1 }
    apps: { ${names.map((name, index) => `${name}: { mode: ${['upload', 'read-only', 'public'][index % 3]} }`).join(', ')} }
signing: { version: 4, buildpack: "https://example.com/sigv4.tgz" }
`);

test('whose key an app holds is worked out once for all apps of a team', () => {
  const { apps, ...rest } = config.teams[0]!;
  let asked = 0;
  const counted: Team = {
    ...rest,
    get apps() {
      asked += 1;
      return apps;
    },
  };
  expect(apps.map((app) => principalOf(counted, app)?.access)).toEqual(apps.map(({ mode }) => (mode === 'public' ? undefined : mode)));
  expect(asked).toBe(1);
  // A team that was settled anew is another.
  expect(principalOf({ ...counted, principals: [] }, apps[0]!)).toBeUndefined();
});
