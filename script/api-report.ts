import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';

/** What the package offers, by name and type. */
export const API_REPORT = fileURLToPath(new URL('../docs/halcyon-kit.api.md', import.meta.url));

/**
 * Compares the report with the package in `source`; `write` replaces it where it differs. Not with an installed one: in a node_modules its own
 * files would pass for another's.
 */
export function compareApi(source: string, { write }: { write: boolean }): { changed: boolean; said: string[] } {
  const said: string[] = [];
  const config = ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(source, 'package.json'),
    configObject: {
      projectFolder: source,
      mainEntryPointFilePath: join(source, 'dist/lib/index.d.ts'),
      compiler: { overrideTsconfig: { compilerOptions: { module: 'nodenext', target: 'es2022', strict: true, skipLibCheck: true } } },
      apiReport: { enabled: true, reportFolder: join(API_REPORT, '..'), reportTempFolder: join(source, '.api') },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        extractorMessageReporting: {
          default: { logLevel: ExtractorLogLevel.None },
          // In the report, too: whoever names a type must be able to import it.
          'ae-forgotten-export': { logLevel: ExtractorLogLevel.Warning, addToApiReportFile: true },
        },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
  });
  const { apiReportChanged } = Extractor.invoke(config, {
    localBuild: write,
    messageCallback: (message) => {
      message.handled = true;
      if (message.logLevel !== ExtractorLogLevel.None) said.push(message.text);
    },
  });
  return { changed: apiReportChanged, said };
}
