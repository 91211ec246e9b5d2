import { blockedMessage, OTHER_WAY } from '../../buildpack/hosted.js';
import { BUILDPACK_STACK } from '../../contract/index.js';
import type { Check, Finding } from '../model.js';
import { broken, info, ofApps, subject, warning } from './finding.js';

/** The list of buildpacks and its order. */
export const buildpacks = ofApps((one, { team }, { config }) => {
  const plan = one.buildpackPlan;
  if (plan === undefined) return [];
  const fix = `run halcyon-kit sync ${team.name}`;
  const findings: Finding[] = [];
  if (plan.problem === 'no-haskell-on-heroku' || plan.changes.some(({ action, url }) => action === 'add' && url === config.buildpack.url)) {
    findings.push(
      broken('no-haskell-on-heroku', subject(one), {
        message: 'haskell-on-heroku is not among its buildpacks',
        looksLike: 'no build by haskell-on-heroku at all',
        fix: config.buildpack.install
          ? fix
          : `heroku buildpacks:add ${config.buildpack.url} -a ${one.name}, or set "buildpack: { install: true }" in the file`,
      }),
    );
  }
  for (const { action, url, from } of plan.changes.filter((change) => change.url !== config.buildpack.url)) {
    if (action === 'add')
      findings.push(
        broken('sigv4-buildpack-missing', subject(one), {
          message: 'the SigV4 buildpack is not among its buildpacks, so requests are signed with version 2',
          looksLike: '"Downloading s3://…... 400 (bad request)" or "403 (forbidden)", and uploads fail',
          fix,
        }),
      );
    if (action === 'move')
      findings.push(
        broken('buildpack-order', subject(one), {
          message: `the SigV4 buildpack must be the first of its buildpacks: it is no. ${(one.buildpacks ?? []).indexOf(url) + 1}`,
          looksLike: '"Downloading s3://…... 400 (bad request)" or "403 (forbidden)", and uploads fail',
          fix,
        }),
      );
    if (action === 'replace')
      findings.push(
        warning('sigv4-buildpack-other', subject(one), { message: `the SigV4 buildpack is ${from}, and the file says ${url}`, fix }),
      );
    if (action === 'remove')
      findings.push(
        warning('sigv4-buildpack-left', subject(one), {
          message: `the SigV4 buildpack ${url} is among its buildpacks, and should not be`,
          looksLike: 'requests that are signed with version 4 all the same',
          fix,
        }),
      );
  }
  return findings;
});

/** Where apps get the SigV4 buildpack from. */
export const buildpackServed: Check = ({ buildpack, config }) => {
  if (buildpack?.tampered !== undefined)
    return [
      broken('buildpack-tampered', 'buildpack', {
        message: `${buildpack.url} serves something else than its name says (sha256 ${buildpack.tampered}): it was overwritten, and every build with it has run that`,
        looksLike: 'nothing: whoever swapped it decides what a build shows',
        fix: 'build nothing until it is put right: "The buildpack was swapped" in docs/security.md',
      }),
    ];
  if (buildpack === undefined || (buildpack.failure === undefined && (buildpack.status ?? 200) < 400)) return [];
  return [
    broken('buildpack-not-served', 'buildpack', {
      message: `${buildpack.url} answers ${buildpack.failure ?? buildpack.status}`,
      looksLike: 'no build at all: Heroku cannot fetch the buildpack',
      fix: config.signing.buildpack === 'hosted' ? 'run halcyon-kit up, which publishes it' : 'correct "signing.buildpack" in the file',
    }),
  ];
};

/** Where the kit serves it from, and what is in the way. */
export const buildpackHome: Check = ({ buildpack, config }) => {
  if (buildpack?.hosted === undefined) return [];
  const { hosted, blocks = [], unread } = buildpack;
  const others = (config.buildpackHomes?.[hosted.account] ?? []).filter((region) => region !== hosted.region);
  // What is served already may go on while only new public policies are refused.
  const severity = blocks.includes('RestrictPublicBuckets') ? broken : warning;
  return [
    info('buildpack-home', 'buildpack', { message: `is served from ${hosted.region}`, fix: 'nothing: it stays there' }),
    ...(blocks.length === 0
      ? []
      : [
          severity('account-blocks-public', 'buildpack', {
            message: blockedMessage(hosted.account, blocks),
            looksLike: 'no build at all: Heroku cannot fetch the buildpack',
            fix: OTHER_WAY,
          }),
        ]),
    ...others.map((region) =>
      warning('buildpack-home-left', 'buildpack', {
        message: `is served from ${region} as well, where it was before`,
        fix: `once no app's buildpacks name it, delete stack ${BUILDPACK_STACK} in ${region} and its bucket`,
      }),
    ),
    ...unread.map((what) =>
      warning('not-checked', 'buildpack', {
        message: `could not read ${what}`,
        looksLike: 'unknown',
        fix: 'ask for the permission named (docs/operator-policy.md)',
      }),
    ),
  ];
};
