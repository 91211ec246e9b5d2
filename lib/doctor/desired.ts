import type { DesiredConfigVars } from '../contract/index.js';
import { desiredHolding } from '../engine/plan/apps.plan.js';
import type { AppFacts, PrincipalFacts } from './model.js';

/** The principal whose key an app should hold. */
export const principalFor = ({ user }: AppFacts, principals: readonly PrincipalFacts[]): PrincipalFacts | undefined =>
  principals.find((principal) => principal.user === user);

/** What an app should have, with the current key where that is known; a secret as its fingerprint. */
export const desiredOf = (app: AppFacts, principals: readonly PrincipalFacts[]): DesiredConfigVars =>
  desiredHolding(principalFor(app, principals)?.current, app, principals) ?? app.wanted;
