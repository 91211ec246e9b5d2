import { parseConfig, type KitConfig } from '../../lib/config/index.js';

/** Two teams, a shared bucket and a hosted buildpack: every kind of stack. */
export const EXAMPLE = `buckets:
  common: { account: "111122223333", region: us-east-1 }
teams:
  payments:
    bucket: { account: "111122223333", region: eu-west-1, versioning: true, retention: { expireAfterDays: 365 }, tags: { cost-centre: "42" } }
    apps:
      payments-builder: { mode: upload }
      payments-api: { mode: read-only }
      payments-lab: { mode: public }
  search:
    bucket: { shared: common, prefix: search }
    credentials: per-app
    apps:
      search-web: { mode: upload, clean: false }
      search-api: { mode: read-only }
signing: { version: 4, buildpack: hosted }
`;

export const exampleConfig = (text = EXAMPLE): KitConfig => parseConfig(text);
