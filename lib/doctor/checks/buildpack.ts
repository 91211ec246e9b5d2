import { blockedMessage, OTHER_WAY } from '../../buildpack/public-access.js';
import { BUILDPACK_STACK } from '../../contract/index.js';
import type { Check, Observation } from '../model.js';
import { about, broken, info, notChecked, warning, type Fault } from './finding.js';

const ofBuildpack =
  (check: (buildpack: NonNullable<Observation['buildpack']>, config: Observation['config']) => Iterable<Fault>): Check =>
  ({ buildpack, config }) =>
    buildpack === undefined ? [] : about('buildpack', check(buildpack, config));

/** Where apps get the SigV4 buildpack from. */
export const buildpackServed = ofBuildpack(function* ({ url, tampered, failure, status = 200 }, { signing }) {
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
      fix: signing.buildpack === 'hosted' ? 'run halcyon-kit up, which publishes it' : 'correct "signing.buildpack" in the file',
    });
});

/** Where the kit serves it from, and what is in the way. */
export const buildpackHome = ofBuildpack(function* ({ hosted, blocks = [], unread }, { buildpackHomes }) {
  if (hosted === undefined) return;
  yield info('buildpack-home', { message: `is served from ${hosted.region}`, fix: 'nothing: it stays there' });
  // What is served already may go on while only new public policies are refused.
  const severity = blocks.includes('RestrictPublicBuckets') ? broken : warning;
  if (blocks.length > 0)
    yield severity('account-blocks-public', {
      message: blockedMessage(hosted.account, blocks),
      looksLike: 'no build at all: Heroku cannot fetch the buildpack',
      fix: OTHER_WAY,
    });
  for (const region of (buildpackHomes?.[hosted.account] ?? []).filter((home) => home !== hosted.region))
    yield warning('buildpack-home-left', {
      message: `is served from ${region} as well, where it was before`,
      fix: `once no app's buildpacks name it, delete stack ${BUILDPACK_STACK} in ${region} and its bucket`,
    });
  yield* notChecked(unread, 'ask for the permission named (docs/operator-policy.md)');
});
