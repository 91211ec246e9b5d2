import { principalsOf } from '../../../../lib/config/derive.js';
import type { Team } from '../../../../lib/config/model.js';
import { iamPath, secretName, userName } from '../../../../lib/contract/index.js';
import type { Ports } from '../../../../lib/engine/ports/ports.js';
import { HerokuApps } from './heroku.js';
import { Iam } from './iam.js';
import { LeaseObject } from './lease.js';
import { Process, Shared, type Hook } from './process.js';
import { SecretsManager } from './secrets-manager.js';

/** IAM, Secrets Manager, S3 and Heroku in memory, as strict as they are, watching the invariants at every effect. */
export class World extends Shared {
  readonly iam: Iam = new Iam(this, (keyId) => this.heroku.holders(keyId));
  readonly secrets = new SecretsManager();
  readonly heroku: HerokuApps = new HerokuApps(this, this.iam);
  readonly lease = new LeaseObject(this);

  /** What a deployment of the team's stack does: users and secrets that the file wants, and no others but those that still have keys. */
  deploy(team: Team, orphan = false): void {
    const wanted = new Map(principalsOf(team).map((principal) => [userName(principal), principal]));
    for (const [name, principal] of wanted) {
      const user = this.iam.users.get(name);
      if (user !== undefined) user.inStack = true;
      else this.iam.users.set(name, { name, path: iamPath(principal.access, team.name), tags: {}, keys: [], inStack: true });
      const secret = secretName(principal);
      if (!this.secrets.all.has(secret)) this.secrets.all.set(secret, new Map());
    }
    for (const user of this.iam.users.values()) {
      if (wanted.has(user.name) || !user.inStack) continue;
      if (orphan) user.inStack = false;
      else if (user.keys.length === 0) this.iam.users.delete(user.name);
    }
    for (const app of team.apps) this.heroku.create(app.name);
  }

  /** Ports of one process. */
  ports(hook: Hook): Ports {
    const process = new Process(this, hook);
    return {
      keys: this.iam.port(process),
      secrets: this.secrets.port(process),
      verifier: this.iam.verifier(process),
      apps: this.heroku.port(process),
      lease: this.lease.port(process),
    };
  }
}
