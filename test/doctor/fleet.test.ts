import { expect, test } from 'vitest';
import { parseConfig } from '../../lib/config/index.js';
import { runDoctor } from '../../lib/doctor/index.js';
import type { Heroku } from '../../lib/heroku/heroku.js';
import { silentIo } from '../../lib/io/io-host.js';

test.each([
  [600, []],
  [10_000, ["asking 10000 apps takes 70000 requests, about 16 h at Heroku's rate; name teams to ask fewer"]],
])('what %i apps take is said before they are asked', async (count, said) => {
  const apps = Array.from({ length: count }, (_, n) => `app-${n}: { mode: public }`);
  const { teams, ...config } = parseConfig(`teams: { lab: { apps: { ${apps.join(', ')} } } }`);
  const warned: string[] = [];
  const away = async () => Promise.reject(new Error('away'));
  const options = { heroku: { stacks: away, apps: away } as unknown as Heroku, aws: () => expect.fail(), writeProbe: false };
  const io = { ...silentIo, warn: (text: string) => void warned.push(text) };
  await expect(runDoctor({ config: { ...config, teams }, teams, ...options, io })).rejects.toThrow('away');
  expect(warned).toEqual(said);
});
