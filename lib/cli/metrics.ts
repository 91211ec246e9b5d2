import { soaksUntil } from '../doctor/checks/keys.js';
import { driftOf, stageOf, type Glance } from './glance.js';

/** Prometheus' text format, for the textfile collector of node_exporter (https://prometheus.io/docs/instrumenting/exposition_formats/). Pure. */

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

export function metricsOf({ at, policy, findings, teams }: Glance): string {
  const now = Date.parse(at);
  const since = (time: string) => (now - Date.parse(time)) / 1000;
  const keys = teams.flatMap(({ team, observation }) =>
    observation.principals.flatMap((principal) =>
      principal.keys.map((key) => ({
        key,
        labels: { team, principal: principal.label, key: key.id, status: key.status, stage: stageOf(principal, key) },
      })),
    ),
  );
  return [
    family('status_timestamp_seconds', 'When halcyon-kit status looked, in seconds since 1970.', [[{}, now / 1000]]),
    family(
      'key_age_seconds',
      'Age of an access key.',
      keys.map(({ key, labels }) => [labels, since(key.createdAt)]),
    ),
    family(
      'key_due_seconds',
      'Time until a current access key is due to be replaced; below zero: overdue.',
      keys
        .filter(({ labels }) => labels.stage === 'current')
        .map(({ key, labels }) => [labels, policy.maxAge / 1000 - since(key.createdAt)]),
    ),
    family(
      'key_soak_left_seconds',
      'Time until an inactive access key may be deleted; below zero: it may be.',
      keys.flatMap(({ key, labels }) => {
        const end = soaksUntil(key, policy);
        return end === undefined ? [] : [[labels, (end - now) / 1000] as const];
      }),
    ),
    family(
      'apps',
      'Apps by what they have: current (as in the file), drifted, unreadable, or missing on Heroku.',
      teams.flatMap(({ team, observation }) =>
        (['current', 'drifted', 'unreadable', 'missing'] as const).map((state): Sample => {
          const those = observation.apps.filter(
            (app) => (app.state !== 'present' ? app.state : driftOf(app, observation).length > 0 ? 'drifted' : 'current') === state,
          );
          return [{ team, state }, those.length];
        }),
      ),
    ),
    family('findings', 'Findings by severity and name.', tallied(findings)),
    family(
      'last_proof_timestamp_seconds',
      'Since when every mode of a team is proven by smoke deploys, in seconds since 1970.',
      teams.flatMap(({ team, lastProof }) => (lastProof ? [[{ team }, Date.parse(lastProof.at) / 1000] as const] : [])),
    ),
    family(
      'last_proof_ok',
      'Whether every proof held then.',
      teams.flatMap(({ team, lastProof }) => (lastProof ? [[{ team }, Number(lastProof.ok)] as const] : [])),
    ),
  ].join('');
}

/** Every severity is there, so that an alert has something to look at. */
function tallied(findings: Glance['findings']): Sample[] {
  const counts = new Map<string, { labels: Record<string, string>; value: number }>();
  for (const { severity, name } of findings) {
    const one = counts.get(`${severity} ${name}`) ?? { labels: { severity, finding: name }, value: 0 };
    counts.set(`${severity} ${name}`, { ...one, value: one.value + 1 });
  }
  const none = (['broken', 'warning', 'info'] as const).filter((severity) => !findings.some((one) => one.severity === severity));
  return [
    ...none.map((severity): Sample => [{ severity, finding: 'none' }, 0]),
    ...[...counts.values()].map(({ labels, value }): Sample => [labels, value]),
  ];
}

function family(name: string, help: string, samples: readonly Sample[]): string {
  if (samples.length === 0) return '';
  const escaped = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  const lines = samples.map(([labels, value]) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    return `halcyon_${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`;
  });
  return [`# HELP halcyon_${name} ${help}`, `# TYPE halcyon_${name} gauge`, ...lines, ''].join('\n');
}
