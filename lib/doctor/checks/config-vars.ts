import { differing, KEY_CONFIG_VARS, type ConfigVarName } from '../../contract/index.js';
import { desiredOf, principalFor } from '../desired.js';
import type { AppFacts } from '../model.js';
import { broken, CACHE_MISS, NO_PRIVATE_STORAGE, ofApps, UPLOAD_FAILS } from './finding.js';

/** Config vars of ours that differ; the key is a matter of `keyHeld`. */
export const configVars = ofApps(function* (one, { team, principals }) {
  if (one.state !== 'present') return;
  const { vars } = one;
  const wanted = desiredOf(one, principals);
  const held = vars.HALCYON_AWS_ACCESS_KEY_ID;
  const known = principalFor(one, principals)?.current !== undefined;
  const keyAside = one.user !== undefined && (!known || (held !== undefined && held !== wanted.HALCYON_AWS_ACCESS_KEY_ID));
  const differ = differing(vars, wanted).filter((name) => !(keyAside && KEY_CONFIG_VARS.includes(name)));
  if (differ.length === 0) return;
  const list = differ.map((name) => {
    if (name === 'HALCYON_AWS_SECRET_ACCESS_KEY')
      return `${name} ${vars[name] === undefined ? 'is missing' : wanted[name] === null ? 'should be unset' : 'is not that of its key'}`;
    const has = vars[name] === undefined ? 'is missing' : `is ${JSON.stringify(vars[name])}`;
    return `${name} ${has}, ${wanted[name] === null ? 'should be unset' : `should be ${JSON.stringify(wanted[name])}`}`;
  });
  yield broken('config-vars-differ', {
    message: list.join('; '),
    looksLike: looksLikeVars(differ, one),
    fix: `run halcyon-kit sync ${team.name}`,
  });
});

function looksLikeVars(differ: readonly ConfigVarName[], { vars, access }: AppFacts): string {
  if (access === undefined) return '"External storage: private and public" in place of "public"';
  const needed: ConfigVarName[] = ['HALCYON_AWS_ACCESS_KEY_ID', 'HALCYON_AWS_SECRET_ACCESS_KEY', 'HALCYON_S3_BUCKET'];
  if (needed.some((name) => !vars[name])) return NO_PRIVATE_STORAGE;
  if (differ.includes('HALCYON_S3_ENDPOINT')) return '"Incorrect HALCYON_S3_ENDPOINT", and the build fails';
  if (differ.includes('HALCYON_NO_UPLOAD'))
    return access === 'read-only' ? UPLOAD_FAILS : 'no "Uploading s3://…" after packages were built';
  if (differ.includes('HALCYON_S3_ACL')) return '"Uploading s3://…... 400 (bad request)" or "403 (forbidden)", and the build fails';
  if (differ.includes('HALCYON_NO_PUBLIC_STORAGE'))
    return '"External storage: private and public" in place of "private", or the other way round';
  return CACHE_MISS;
}
