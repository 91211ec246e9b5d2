import type { Hono } from 'hono';
import { type Env, type Services, list } from '../context.js';
import { notFound } from '../api-error.js';
import { ACCOUNT, STACKS } from '../platform.js';

const LONG_AGO = '2012-01-01T12:00:00Z';

export function accountRoutes(api: Hono<Env>, { settings, rateLimit }: Services): void {
  api.get('/account', (c) =>
    c.json({
      ...ACCOUNT,
      allow_tracking: false,
      beta: false,
      country_of_residence: null,
      created_at: LONG_AGO,
      default_organization: null,
      default_team: null,
      delinquent_at: null,
      federated: false,
      identity_provider: null,
      last_login: LONG_AGO,
      name: 'Operator',
      sms_number: null,
      suspended_at: null,
      two_factor_authentication: true,
      updated_at: LONG_AGO,
      verified: true,
    }),
  );
  api.get('/account/rate-limits', (c) => c.json({ remaining: rateLimit.remaining() }));
  const stackJson = (stack: (typeof STACKS)[number]) => ({ ...stack, created_at: LONG_AGO, updated_at: LONG_AGO });
  api.get('/stacks', (c) =>
    list(c, settings, STACKS, ['name', 'id'], (stack, field) => (field === 'id' ? stack.id : stack.name), stackJson),
  );
  api.get('/stacks/:stack', (c) => {
    const stack = STACKS.find((candidate) => candidate.name === c.req.param('stack') || candidate.id === c.req.param('stack'));
    if (stack === undefined) throw notFound('stack');
    return c.json(stackJson(stack));
  });
}
