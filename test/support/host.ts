import type { CommandHost } from '../../lib/cli/command.js';
import { silentIo } from '../../lib/io/io-host.js';

/** A person who says yes, reads nothing, and keeps no evidence; in this process's environment. */
export const quietHost = (more: Partial<CommandHost> = {}): CommandHost => ({
  ...{ io: silentIo, signal: new AbortController().signal, env: process.env },
  ...{ evidence: { event() {}, note() {} }, confirm: async () => true },
  ...more,
});
