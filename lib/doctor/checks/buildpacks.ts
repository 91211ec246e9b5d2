import { broken, ofApps, warning } from './finding.js';

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
