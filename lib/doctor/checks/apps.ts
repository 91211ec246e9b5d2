import { broken, info, ofApps, warning } from './finding.js';

export const appThere = ofApps(function* ({ state, info: app, problem }, { team }) {
  if (state === 'missing')
    yield broken('app-not-found', {
      message: 'Heroku knows no app of that name, or you may not see it',
      fix: `correct its name in the file, or get access to it`,
    });
  else if (app === undefined)
    yield broken('app-forbidden', {
      message: problem ?? 'you may not use it',
      looksLike: 'unknown',
      fix: 'ask its owner for deploy and operate permissions',
    });
  else if (app.generation !== 'cedar')
    yield broken('app-fir', {
      message: `it is of the ${app.generation} generation, which takes no classic buildpacks`,
      looksLike: 'no build by haskell-on-heroku at all',
      fix: `use a Cedar app in team ${team.name}`,
    });
});

/** Stacks that go, and stacks that Halcyon cannot install GHC on. */
export const appStack = ofApps(function* (one, _, { config }) {
  const stack = one.info?.stack;
  if (stack === undefined || one.info?.generation !== 'cedar') return;
  if (one.stackState !== undefined && one.stackState !== 'public' && one.stackState !== 'available')
    yield warning('stack-old', {
      message: `its stack ${stack} is ${one.stackState}`,
      looksLike: 'soon: no build at all',
      fix: `heroku stack:set -a ${one.name} with a newer one; archives are kept by platform, so prebuild again`,
    });
  // Upstream knows GHC for Ubuntu 10 to 15; a fork may know more.
  if (
    config.buildpack.halcyonUrl === undefined &&
    one.access !== undefined &&
    /^heroku-(1[6-9]|[2-9]\d)$/.test(stack) &&
    one.state === 'present' &&
    one.switches.HALCYON_URL === undefined
  )
    yield info('stack-without-ghc', {
      message: `upstream Halcyon cannot install GHC on ${stack}: deployments need prebuilt archives, or a fork`,
      looksLike: '"Deploying buildpack only" where an archive is missing',
      fix: 'keep archives for that platform in the bucket, or name a fork with buildpack.halcyonUrl in the file',
    });
});
