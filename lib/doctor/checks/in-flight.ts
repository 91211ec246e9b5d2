import { info, ofApps } from './finding.js';

/** What goes on just now. */
export const inFlight = ofApps(function* ({ builds = [], oneOffs = [], releases = [] }) {
  const fix = 'wait for it';
  for (const { id, createdAt } of builds)
    yield info('build-in-flight', { message: `build ${id} has been running since ${createdAt}, with the config vars of then`, fix });
  for (const { name, createdAt, releaseVersion } of oneOffs)
    yield info('dyno-in-flight', {
      message: `one-off dyno ${name} has been running since ${createdAt}, with the config vars of v${releaseVersion}`,
      fix,
    });
  const [latest] = releases;
  if (latest?.status === 'pending')
    yield info('release-pending', { message: `release v${latest.version} has not ended: config vars may be about to change`, fix });
});
