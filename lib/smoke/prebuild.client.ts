import { labelOf, sourceHash, sourceTree } from './archive.js';
import { buildFor, type Builds } from './build.client.js';
import type { Run } from './context.js';
import { runFor, type DynoRun } from './dyno.client.js';
import { storageLines } from './log.js';
import { noteInstall, type Place } from './planted.client.js';
import { proof } from './proofs.plan.js';
import { buildScript } from './script.js';
import { tarball } from '../tarball.js';

/** Of the dyno: GHC wants memory. */
const SIZE = 'performance-l';

/** A source nobody has built: buildpack only, built and uploaded on a dyno, found by the next build. */
export async function provePrebuild(run: Run, app: string, { platform, ghc }: Place): Promise<Builds & { readonly dyno: DynoRun }> {
  const tree = sourceTree(run.name, `${run.nonce}-prebuilt`);
  const source = tarball(tree);
  const label = labelOf(run.name);
  await noteInstall(run, { platform, ghc, label, hash: sourceHash(tree) });
  const first = await buildFor(run, app, source, 'unbuilt');
  run.say('building on a one-off dyno');
  const dyno = await runFor(run, app, buildScript(run.name), { timeToLive: 3600, release: first.release?.version, size: SIZE });
  const uploaded = storageLines(dyno.lines).find(({ action, url }) => action === 'Uploading' && url.includes('/halcyon-install-'));
  const second = await buildFor(run, app, source, 'prebuilt');
  const found = `${second.log.deployed ?? 'not deployed'}, ${second.log.install?.outcome ?? 'no download'}`;
  return {
    builds: [first, second],
    last: second,
    dyno,
    proofs: [
      first.proof,
      proof('a source nobody has built', 'buildpack only', first.log.buildpackOnly ? 'buildpack only' : 'deployed'),
      proof(
        'one-off dyno builds and uploads',
        'exit 0, done',
        `exit ${dyno.status ?? 'unknown'}, ${uploaded?.outcome ?? 'nothing uploaded'}`,
      ),
      second.proof,
      proof('next build finds what was uploaded', `${label}, done`, found),
    ],
  };
}
