import { holdersOf, principalsOf } from '../../../../lib/config/derive.js';
import { withGenerations } from '../../../../lib/config/generations.js';
import type { Team } from '../../../../lib/config/model.js';
import { iamPath, secretName, TAGS, userName } from '../../../../lib/contract/index.js';
import type { Guard, Ports } from '../../../../lib/engine/ports/ports.js';
import type { ServerTime } from '../../../../lib/network/server-time.js';
import { HerokuApps } from './heroku.js';
import { Holders } from './holders.js';
import { Iam } from './iam.js';
import { Leases } from './lease.js';
import { Packages } from './packages.js';
import { Process, Shared, type Hook } from './process.js';
import { SecretsManager } from './secrets-manager.js';

/** IAM, Secrets Manager, S3 and Heroku in memory, as strict as they are, watching the invariants at every effect. */
export class World extends Shared {
  readonly iam: Iam = new Iam(this, (keyId) => this.heroku.holders(keyId));
  readonly secrets = new SecretsManager();
  readonly packages = new Packages();
  readonly holders = new Holders();
  readonly heroku: HerokuApps = new HerokuApps(this, this.iam, this.packages, this.holders);
  readonly leases = new Leases(this);

  /**
   * What a deployment of the team's stack does: it makes users and secrets that the file wants, under names that nobody has yet, and lets go of
   * others, which are retained.
   * @returns the team, with the principals that its stack has.
   */
  deploy(team: Team): Team {
    this.packages.fileChanges();
    const users = [...this.iam.users.values()];
    const there = {
      exist: new Set(users.map(({ name }) => name)),
      inStack: new Set(users.filter(({ inStack }) => inStack).map(({ name }) => name)),
    };
    const principals = withGenerations(principalsOf({ ...team, principals: undefined }), there);
    const wanted = new Map(principals.map((principal) => [userName(principal), principal]));
    for (const [name, principal] of wanted) {
      const tags = tagsOf(team);
      if (!this.iam.users.has(name))
        this.iam.users.set(name, { name, path: iamPath(principal.access, team.name), tags, keys: [], inStack: true });
      const secret = secretName(principal);
      if (!this.secrets.all.has(secret)) this.secrets.all.set(secret, new Map());
    }
    for (const user of users) if (!wanted.has(user.name)) user.inStack = false;
    for (const app of holdersOf(team)) this.heroku.create(app.name);
    return { ...team, principals };
  }

  /** Ports of one process. */
  ports(hook: Hook = () => {}, guard: Guard = async () => {}, time: ServerTime = this.time(), own = 'bucket'): Ports {
    const process = new Process(this, hook, guard, time);
    return {
      keys: this.iam.port(process),
      secretsIn: () => this.secrets.port(process),
      verifier: this.iam.verifier(process),
      apps: this.heroku.port(process),
      packages: this.packages.port(process),
      holders: this.holders.port(process),
      lease: async (team, place) => this.leases.port(process, `s3://${place?.bucketName ?? own}/lease/${team}`),
    };
  }
}

/** What a user may reach, on the user itself. */
const tagsOf = ({ bucket }: Team): Record<string, string> =>
  bucket === undefined
    ? {}
    : {
        [TAGS.bucket]: bucket.spec.name,
        [TAGS.region]: bucket.spec.region,
        [TAGS.acl]: bucket.spec.acl,
        ...(bucket.prefix === undefined ? {} : { [TAGS.prefix]: bucket.prefix }),
      };
