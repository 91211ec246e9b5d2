import type { Check, Observation } from '../model.js';
import { about, broken, ofApps, warning, type Fault } from './finding.js';

/** The list of buildpacks and its order. */
export const buildpacks = ofApps(function* (one, { team }, { config }) {
  const plan = one.buildpackPlan;
  if (plan === undefined) return;
  const { url: haskell, install } = config.buildpack;
  const fix = `run halcyon-kit sync ${team.name}`;
  if (plan.problem === 'no-haskell-on-heroku' || plan.changes.some(({ action, url }) => action === 'add' && url === haskell))
    yield broken('no-haskell-on-heroku', {
      message: 'haskell-on-heroku is not among its buildpacks',
      looksLike: 'no build by haskell-on-heroku at all',
      fix: install ? fix : `heroku buildpacks:add ${haskell} -a ${one.name}, or set "buildpack: { install: true }" in the file`,
    });
  const looksLike = '"Downloading s3://…... 400 (bad request)" or "403 (forbidden)", and uploads fail';
  for (const { action, url, from } of plan.changes.filter((change) => change.url !== haskell)) {
    if (action === 'add') {
      const message = 'the SigV4 buildpack is not among its buildpacks, so requests are signed with version 2';
      yield broken('sigv4-buildpack-missing', { message, looksLike, fix });
    } else if (action === 'move') {
      const message = `the SigV4 buildpack must be the first of its buildpacks: it is no. ${(one.buildpacks ?? []).indexOf(url) + 1}`;
      yield broken('buildpack-order', { message, looksLike, fix });
    } else if (action === 'replace') {
      yield warning('sigv4-buildpack-other', { message: `the SigV4 buildpack is ${from}, and the file says ${url}`, fix });
    } else {
      yield warning('sigv4-buildpack-left', {
        message: `the SigV4 buildpack ${url} is among its buildpacks, and should not be`,
        looksLike: 'requests that are signed with version 4 all the same',
        fix,
      });
    }
  }
});

/** Where apps get the SigV4 buildpack from. */
export const buildpackServed: Check = (observation) => about('buildpack', served(observation));

function* served({ buildpack, config }: Observation): Iterable<Fault> {
  if (buildpack === undefined) return;
  const { url, tampered, failure, status = 200 } = buildpack;
  if (tampered !== undefined)
    yield broken('buildpack-tampered', {
      message: `${url} serves something else than its name says (sha256 ${tampered}): it was overwritten, and every build with it has run that`,
      looksLike: 'nothing: whoever swapped it decides what a build shows',
      fix: 'build nothing until it is put right: "The buildpack was swapped" in docs/security.md',
    });
  else if (failure !== undefined || status >= 400)
    yield broken('buildpack-not-served', {
      message: `${url} answers ${failure ?? status}`,
      looksLike: 'no build at all: Heroku cannot fetch the buildpack',
      fix: config.signing.buildpack === 'hosted' ? 'run halcyon-kit up, which publishes it' : 'correct "signing.buildpack" in the file',
    });
}
