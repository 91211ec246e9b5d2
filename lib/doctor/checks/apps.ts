import type { Finding } from '../model.js';
import { broken, info, ofApps, subject, warning } from './finding.js';

export const appThere = ofApps((one, { team }) => {
  if (one.state === 'missing')
    return [
      broken('app-not-found', subject(one), {
        message: 'Heroku knows no app of that name, or you may not see it',
        fix: `correct its name in the file, or get access to it`,
      }),
    ];
  const { info: app } = one;
  if (app === undefined)
    return [
      broken('app-forbidden', subject(one), {
        message: one.problem ?? 'you may not use it',
        looksLike: 'unknown',
        fix: 'ask its owner for deploy and operate permissions',
      }),
    ];
  if (app.generation !== 'cedar')
    return [
      broken('app-fir', subject(one), {
        message: `it is of the ${app.generation} generation, which takes no classic buildpacks`,
        looksLike: 'no build by haskell-on-heroku at all',
        fix: `use a Cedar app in team ${team.name}`,
      }),
    ];
  return [];
});

/** Stacks that go, and stacks that Halcyon cannot install GHC on. */
export const appStack = ofApps((one, _, { config }) => {
  const stack = one.info?.stack;
  if (stack === undefined || one.info?.generation !== 'cedar') return [];
  const findings: Finding[] = [];
  if (one.stackState !== undefined && one.stackState !== 'public' && one.stackState !== 'available') {
    findings.push(
      warning('stack-old', subject(one), {
        message: `its stack ${stack} is ${one.stackState}`,
        looksLike: 'soon: no build at all',
        fix: `heroku stack:set -a ${one.name} with a newer one; archives are kept by platform, so prebuild again`,
      }),
    );
  }
  // Upstream knows GHC for Ubuntu 10 to 15; a fork may know more.
  if (
    config.buildpack.halcyonUrl === undefined &&
    one.access !== undefined &&
    /^heroku-(1[6-9]|[2-9]\d)$/.test(stack) &&
    one.state === 'present' &&
    one.switches.HALCYON_URL === undefined
  ) {
    findings.push(
      info('stack-without-ghc', subject(one), {
        message: `upstream Halcyon cannot install GHC on ${stack}: deployments need prebuilt archives, or a fork`,
        looksLike: '"Deploying buildpack only" where an archive is missing',
        fix: 'keep archives for that platform in the bucket, or name a fork with buildpack.halcyonUrl in the file',
      }),
    );
  }
  return findings;
});

/** What goes on just now. */
export const inFlight = ofApps((one) => {
  const pending = one.releases?.[0]?.status === 'pending' ? one.releases[0] : undefined;
  return [
    ...(one.builds ?? []).map(({ id, createdAt }) =>
      info('build-in-flight', subject(one), {
        message: `build ${id} has been running since ${createdAt}, with the config vars of then`,
        fix: 'wait for it',
      }),
    ),
    ...(one.oneOffs ?? []).map(({ name, createdAt, releaseVersion }) =>
      info('dyno-in-flight', subject(one), {
        message: `one-off dyno ${name} has been running since ${createdAt}, with the config vars of v${releaseVersion}`,
        fix: 'wait for it',
      }),
    ),
    ...(pending === undefined
      ? []
      : [
          info('release-pending', subject(one), {
            message: `release v${pending.version} has not ended: config vars may be about to change`,
            fix: 'wait for it',
          }),
        ]),
  ];
});

export const appUnread = ofApps((one) =>
  one.unread.map((what) =>
    warning('not-checked', subject(one), { message: `could not read ${what}`, looksLike: 'unknown', fix: 'run the doctor again' }),
  ),
);
