import { EXPIRY_FIX, expiryOf, holdersOf, principalsOf, specsOf } from '../config/derive.js';
import { display, loadConfig } from '../config/load.js';
import { halcyonBucket, principalLabel } from '../contract/index.js';
import { counted } from '../io/printable.js';
import { renderTable } from '../io/table.js';
import type { CommandHost, CommandResult, GlobalOptions } from '../cli/command.js';

export async function validate(options: GlobalOptions, host: CommandHost): Promise<CommandResult> {
  const config = await loadConfig(options.config);
  const buckets = new Map(specsOf(config).map((spec) => [spec.name, spec]));
  for (const warning of [...buckets.values()].flatMap((spec) => expiryOf(spec) ?? [])) host.io.warn(`${warning}; ${EXPIRY_FIX}`);
  const rows = config.teams.flatMap((team) => {
    const principals = new Map(principalsOf(team).flatMap((principal) => principal.apps.map((app) => [app, principal] as const)));
    return holdersOf(team).map((app) => {
      const principal = principals.get(app.name);
      return [
        team.name,
        app.name,
        app.mode === 'upload' && !app.clean ? 'upload (append-only)' : app.mode,
        team.bucket && principal ? halcyonBucket(team.bucket.spec.name, team.bucket.prefix) : '-',
        principal ? principalLabel(principal) : '-',
      ];
    });
  });
  return {
    data: config,
    text: `${renderTable(['team', 'app', 'mode', 'bucket', 'principal'], rows)}\n\n${display(options.config)} is valid: ${counted(config.teams.length, 'team')}, ${counted(
      config.teams.reduce((sum, { apps }) => sum + apps.length, 0),
      'app',
    )}`,
  };
}
