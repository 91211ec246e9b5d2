import { expect, test } from 'vitest';
import { parseUser } from '../../../lib/engine/run/observe.client.js';

test.each([
  ['/halcyon/upload/team/', 'halcyon.team.team.upload', { team: 'team', access: 'upload' }],
  ['/halcyon/read-only/team/', 'halcyon.app.my-app.read-only', { team: 'team', access: 'read-only', app: 'my-app' }],
  ['/halcyon/upload/other/', 'halcyon.team.team.upload', undefined],
  ['/halcyon/upload/team/', 'somebody', undefined],
])('%s %s', (path, name, id) => expect(parseUser('team', { path, name })).toEqual(id));
