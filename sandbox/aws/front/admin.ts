import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBody } from './call.js';
import type { Fault, Faults } from './faults.js';
import type { RequestLog } from './log.js';
import type { Front } from './rule.js';
import { applySettings } from '../settings.js';

/** What the switches act on. */
interface Switched {
  readonly front: Front;
  readonly log: RequestLog;
  readonly faults: Faults;
}

/**
 * The sandbox's own switches over HTTP, JSON throughout, for tests in other processes:
 * `GET|POST|DELETE /_sandbox/faults`, `GET|DELETE /_sandbox/log`, `GET|PATCH /_sandbox/settings`.
 */
export async function answerAdmin(request: IncomingMessage, response: ServerResponse, switched: Switched): Promise<void> {
  const send = (status: number, value: unknown): void => {
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(`${JSON.stringify(value)}\n`);
  };
  const { faults, log, front } = switched;
  const body = (await readBody(request)).toString('utf8');
  try {
    switch (`${request.method} ${(request.url ?? '').replace(/\?.*/, '')}`) {
      case 'GET /_sandbox/faults':
        return send(200, faults.pending());
      case 'POST /_sandbox/faults':
        for (const fault of [JSON.parse(body) as Fault | Fault[]].flat()) faults.add(fault);
        return send(200, faults.pending());
      case 'DELETE /_sandbox/faults':
        faults.clear();
        return send(200, []);
      case 'GET /_sandbox/log':
        return send(200, log.entries());
      case 'DELETE /_sandbox/log':
        log.clear();
        return send(200, []);
      case 'GET /_sandbox/settings':
        return send(200, front.settings);
      case 'PATCH /_sandbox/settings':
        applySettings(front.settings, JSON.parse(body));
        return send(200, front.settings);
      default:
        return send(404, { message: 'no such switch: faults, log, settings' });
    }
  } catch (error) {
    send(400, { message: (error as Error).message });
  }
}
