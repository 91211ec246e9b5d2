import pMap from 'p-map';
import { regionOf } from '../config/derive.js';
import { isKitError } from '../errors.js';
import { inStep } from '../io/io-host.js';
import { storedAt, stockOf, type Place, type Stock } from '../prebuild/packages.client.js';
import { byKind } from '../storage/packages.plan.js';
import type { GlancePackages } from './glance.js';
import type { Session } from './session.js';

export const awsOf = (session: Session, { teams }: Place) => session.aws(regionOf(teams[0]!)!);

/** What looks at one place, and at the newest builds of its apps. Apps of teams that the session is not about are known by the record of holders. */
export async function stockLooker(session: Session, soakMs: number): Promise<(place: Place) => Promise<Stock>> {
  const { ids, refused, host } = session;
  const heroku = await session.heroku();
  const apps = await heroku.appsById([...ids.values()]);
  return (place) => {
    const users = place.teams.flatMap((team) => team.apps.filter(({ mode }) => mode !== 'public').map(({ name }) => name));
    const own = new Set(users.map((name) => ids.get(name)));
    const seen = {
      apps: apps.filter(({ id }) => own.has(id)),
      refused: refused.filter(({ app }) => users.includes(app)).map(({ message }) => message),
    };
    return stockOf({ aws: awsOf(session, place), heroku, signal: host.signal }, place, seen, soakMs);
  };
}

/** For `status`: by kind. @param asked - also what no app has asked for: a request to Heroku an app. */
export async function glanceAtPackages(session: Session, places: readonly Place[], asked: boolean): Promise<GlancePackages[]> {
  const { io, signal } = session.host;
  const look = asked ? await stockLooker(session, 0) : (place: Place) => storedAt(awsOf(session, place), place, signal);
  const glance = async (place: Place): Promise<GlancePackages> => {
    const where = { bucket: place.bucket.spec.name, place: place.bucket.prefix ?? '' };
    try {
      const { packages, unknown } = { unknown: undefined, ...(await look(place)) };
      return { ...where, kinds: byKind(packages), ...(unknown === undefined ? {} : { unknown }) };
    } catch (error) {
      if (!isKitError(error) || signal.aborted) throw error;
      return { ...where, kinds: [], unknown: [error.message] };
    }
  };
  return inStep(io, 'looking into the buckets', () => pMap(places, glance, { concurrency: session.concurrency }));
}
