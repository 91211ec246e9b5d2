import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AttachUserPolicyCommand, DetachUserPolicyCommand, GetAccessKeyLastUsedCommand } from '@aws-sdk/client-iam';
import pMap from 'p-map';
import { partitionOf } from '../lib/config/regions.js';
import type { FileShape } from '../lib/config/schema.js';
import { oursOf, QUARANTINE_POLICY } from '../lib/contract/index.js';
import type { TeamResult } from '../lib/engine/model.js';
import { halcyonRequest } from '../lib/storage/halcyon-requests.js';
import type { Proof, SmokeReport } from '../lib/smoke/report.js';
import { EDITS, fleetOf, textOf } from './fleet.plan.js';
import { storeOf, underLoad } from './load.client.js';
import { proofOf, type Kit, type Run, type StageOf } from './run.js';
import { deleteBuckets, thingsOf } from './things.client.js';

/** The life of a small fleet, led as an operator would: each step by the command that the runbooks name for it. */
export class Fleet {
  readonly #file: FileShape;
  readonly #apps: readonly string[];
  readonly #smokeApps: string[] = [];

  constructor(
    private readonly run: Run,
    private readonly kit: Kit,
    private readonly dir: string,
    buildpack: string,
  ) {
    this.#file = fleetOf(run.id, run.place, buildpack);
    this.#apps = ['up', 'ro', 'pub', 'one', 'two', 'new'].map(run.names.app);
  }

  async live(stage: StageOf): Promise<void> {
    const { names } = this.run;
    const begun = await stage('Up: stacks, keys, config vars', async () => {
      const { heroku, place } = this.run;
      await pMap(this.#apps, (name) => heroku.createApp({ name, team: place.herokuTeam }), { concurrency: 3 });
      return this.#kit(['up', '--all', '--no-smoke']);
    });
    // Nothing that follows means anything without it.
    if (!begun) return;
    await stage('Smoke deploy in each mode', () => this.#kit(['smoke', '--all']));
    await stage('Rotation and undo under load', () =>
      this.#loaded(async () => [
        ...(await this.#kit(['rotate', names.own, '--soak', '24h', '--no-smoke'], 2)),
        ...(await this.#kit(['rotate', names.own, '--undo', '--soak', '0s', '--no-smoke'])),
        ...(await this.#kit(['rotate', '--all', '--soak', '0s', '--no-smoke'])),
      ]),
    );
    for (const { name, apply } of EDITS) {
      apply(this.#file, names);
      await stage(`Edit under load: ${name}`, () => this.#loaded(() => this.#kit(['up', '--all', '--no-smoke'])));
    }
    await stage('Old keys go, and what the edits left, under load', () =>
      this.#loaded(async () => [
        ...(await this.#kit(['rotate', '--all', '--finish', '--soak', '0s'])),
        ...(await this.#kit(['up', '--all', '--prune', '--no-smoke'])),
      ]),
    );
    await stage('A key has leaked', () => this.#leak());
    await stage('A key has leaked, and AWS has quarantined its user', () => this.#quarantine());
  }

  /** Take it down, and count what is left. */
  async end(stage: StageOf): Promise<void> {
    const { names, heroku } = this.run;
    await stage('Down, and what is left', async () => {
      const proofs = await this.#kit(['down', '--all', '--bucket', names.shared, '--delete-bucket']);
      for (const app of this.#apps)
        proofs.push(proofOf(`config vars of the kit's on ${app}`, '0', String(Object.keys(oursOf(await heroku.configVars(app))).length)));
      await pMap(this.#apps, (app) => heroku.deleteApp(app), { concurrency: 3 });
      const { buckets } = await thingsOf(this.run);
      proofs.push(
        proofOf('buckets that packages moved out of, kept until someone deletes them', '2', String(buckets.length), buckets.join(', ')),
      );
      await deleteBuckets(this.run);
      const { apps, ...aws } = await thingsOf(this.run);
      const smoke = (await heroku.apps()).map(({ name }) => name).filter((name) => this.#smokeApps.includes(name));
      const left = { ...aws, 'Heroku apps': [...apps, ...smoke] };
      return [...proofs, ...Object.entries(left).map(([what, names]) => proofOf(`${what} left`, 'none', names.join(', ') || 'none'))];
    });
  }

  /** Run a command, and what it proved. */
  async #kit(args: readonly string[], expected = 0): Promise<Proof[]> {
    const config = join(this.dir, 'halcyon.yaml');
    await writeFile(config, textOf(this.#file));
    const {
      exitCode = 0,
      data,
      text,
    } = await this.kit([...args, '--config', config, ...(args[0] === 'smoke' ? [] : ['--yes'])], this.run.host);
    const { outcomes = [], smoke = [] } = data as { outcomes?: readonly TeamResult[]; smoke?: readonly SmokeReport[] };
    this.#smokeApps.push(...smoke.map(({ evidence }) => evidence.smokeApp));
    const said = exitCode === expected ? '' : `: ${text.slice(0, 2000)}`;
    return [
      proofOf(`halcyon-kit ${args.join(' ')}`, `exit code ${expected}`, `exit code ${exitCode}${said}`),
      ...outcomes.flatMap(({ evidence }) => evidence.flatMap(keyProof)),
      ...smoke.flatMap(({ team, mode, access, proofs }) =>
        proofs.map((one) => ({ ...one, proof: `${team}, ${access === 'append-only' ? 'append-only' : mode}: ${one.proof}` })),
      ),
    ];
  }

  async #loaded(work: () => Promise<Proof[]>): Promise<Proof[]> {
    const { result, load } = await underLoad(this.run, this.#apps, work);
    const refused = load.refused.length === 0 ? 'none' : `${load.refused.length}: ${load.refused.slice(0, 5).join('; ')}`;
    return [...result, proofOf(`of ${load.requests} requests meanwhile, refused`, 'none', refused)];
  }

  async #leak(): Promise<Proof[]> {
    const app = this.run.names.app('ro');
    const leaked = await this.run.heroku.configVars(app);
    return [
      ...(await this.#kit(['rotate', this.run.names.own, '--emergency', leaked.HALCYON_AWS_ACCESS_KEY_ID ?? ''])),
      proofOf('the leaked key', '403', await this.#listing(leaked)),
      proofOf(`the key that ${app} has now`, '200', await this.#listing(await this.run.heroku.configVars(app))),
    ];
  }

  async #quarantine(): Promise<Proof[]> {
    const { names, heroku, place, aws } = this.run;
    const app = names.app('one');
    const leaked = await heroku.configVars(app);
    const AccessKeyId = leaked.HALCYON_AWS_ACCESS_KEY_ID ?? '';
    const iam = await aws(place.region).iam();
    const { UserName } = await iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId }));
    const policy = { UserName, PolicyArn: `arn:${partitionOf(place.region)}:iam::aws:policy/${QUARANTINE_POLICY}V3` };
    await iam.send(new AttachUserPolicyCommand(policy));
    try {
      const emergency = await this.#kit(['rotate', names.one, '--emergency', AccessKeyId], 1);
      const { text } = await this.kit(['status', names.one, '--config', join(this.dir, 'halcyon.yaml')], this.run.host);
      return [
        ...emergency,
        proofOf('the leaked key', '403', await this.#listing(leaked)),
        proofOf('status says that the user is quarantined', 'yes', /has quarantined IAM user/.test(text) ? 'yes' : 'no'),
        ...(await this.#kit(['up', names.one, '--no-smoke'])),
        proofOf(`the key that ${app} has now`, '200', await this.#listing(await heroku.configVars(app))),
      ];
    } finally {
      // Attached by the run itself: there is no case of AWS's to settle.
      await iam.send(new DetachUserPolicyCommand(policy));
    }
  }

  /** What a listing with these config vars is answered. */
  async #listing(vars: Readonly<Record<string, string>>): Promise<string> {
    const { place, aws } = this.run;
    const store = storeOf(vars, place.region);
    if (store === undefined) return 'no key';
    const { status, failure } = await halcyonRequest(
      store,
      { operation: 'list', prefix: 'accept-load' },
      { network: aws(place.region).network },
    );
    return String(status ?? failure?.code);
  }
}

/** A key that was made current: its id, and the fingerprint of its secret. */
const keyProof = ({ step, keyId, principal, fingerprint }: TeamResult['evidence'][number]): Proof[] =>
  step === 'promote' && keyId !== undefined
    ? [proofOf(`key ${keyId} of ${principal} is current`, 'yes', 'yes', fingerprint && `fingerprint ${fingerprint}`)]
    : [];
