import { createHash } from 'node:crypto';
import { redact } from '../lib/io/redaction.js';
import type { AcceptReport, Stage } from './run.js';

/** A report as a page that stands alone: no script, nothing fetched. Pure. */

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** Of the report's facts: two pages with one fingerprint tell the same. */
export const fingerprintOf = (report: AcceptReport): string =>
  createHash('sha256')
    .update(redact(JSON.stringify(report)))
    .digest('hex');

const held = ({ proofs }: Pick<Stage, 'proofs'>): number => proofs.filter(({ ok }) => ok).length;

export function acceptPage(report: AcceptReport): string {
  const proofs = report.stages.flatMap((stage) => stage.proofs);
  const facts = Object.entries({
    Account: `${report.account}, ${report.region}`,
    Operator: report.operator,
    'Heroku team': report.herokuTeam ?? 'none: a personal account',
    AWS: report.endpoint === undefined ? 'AWS itself' : `${report.endpoint}, not AWS itself`,
    Run: `${report.run}, by halcyon-kit ${report.version}`,
    From: report.startedAt,
    To: report.finishedAt,
    Fingerprint: `sha256 ${fingerprintOf(report)}`,
  });
  const verdict = `${held({ proofs })} of ${proofs.length} proofs hold`;
  const rows = (stage: Stage) =>
    stage.proofs.map(
      ({ proof, expected, observed, ok }) =>
        `<tr class="${ok ? 'ok' : 'bad'}"><td>${ok ? '✔' : '✘'}</td>${[proof, expected, observed].map((text) => `<td>${escape(text)}</td>`).join('')}</tr>`,
    );
  const section = (stage: Stage) => `<details${held(stage) < stage.proofs.length || stage.proofs.length <= 12 ? ' open' : ''}>
<summary><b>${escape(stage.title)}</b> <span>${held(stage)} of ${stage.proofs.length}, ${Math.round(stage.seconds)} s</span></summary>
<table><thead><tr><th></th><th>proof</th><th>expected</th><th>observed</th></tr></thead><tbody>
${rows(stage).join('\n')}
</tbody></table></details>`;
  return redact(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Halcyon kit, acceptance run ${escape(report.run)}</title>
<style>${STYLE}</style></head><body><main>
<h1>Halcyon kit: acceptance run</h1>
<p class="verdict ${report.ok ? 'ok' : 'bad'}">${report.ok ? '✔' : '✘'} ${verdict}</p>
<dl>${facts.map(([name, value]) => `<dt>${name}</dt><dd>${escape(value)}</dd>`).join('')}</dl>
${report.stages.map(section).join('\n')}
<p class="note">Access keys are named by their ids; no secret is on this page. Times are UTC.</p>
</main></body></html>
`);
}

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; color: #1c2430; background: #f5f6f8; margin: 0 }
main { max-width: 68rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; margin: 0 0 .5rem }
.verdict { font-size: 1.1rem; font-weight: 600; padding: .6rem 1rem; border-radius: .4rem; background: #e3f4e8; color: #14532d }
.verdict.bad { background: #fde7e7; color: #7f1d1d }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.5rem; background: #fff; border: 1px solid #dfe3e8; border-radius: .4rem; padding: 1rem; margin: 0 0 1rem }
dt { color: #5b6675 } dd { margin: 0; overflow-wrap: anywhere }
details { background: #fff; border: 1px solid #dfe3e8; border-radius: .4rem; padding: .6rem 1rem; margin: 0 0 .6rem }
summary { cursor: pointer } summary span { color: #5b6675; float: right }
table { border-collapse: collapse; width: 100%; margin-top: .5rem; table-layout: fixed; font-size: .9rem }
th, td { text-align: left; vertical-align: top; padding: .25rem .5rem; border-top: 1px solid #edf0f3; overflow-wrap: anywhere }
th { color: #5b6675; font-weight: 500 } th:first-child, td:first-child { width: 1.5rem } th:nth-child(2) { width: 48% }
.ok td:first-child { color: #15803d } .bad td { background: #fdf1f1 } .bad td:first-child { color: #b91c1c }
.note { color: #5b6675 }
@media print { body { background: #fff } main { margin: 0 } }`;
