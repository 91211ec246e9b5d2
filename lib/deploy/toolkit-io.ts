import { stripVTControlCharacters } from 'node:util';
import type { IIoHost, IoMessage, IoRequest } from '@aws-cdk/toolkit-lib';
import type { IoHost, Step } from '../io/io-host.js';

/** The toolkit's messages as ours: resources become the running step's detail, warnings stay, the rest is for `--verbose`. */
export function toolkitIo(io: IoHost, step: () => Step | undefined, onFailure: (reason: string) => void): IIoHost {
  return {
    async notify(message: IoMessage<unknown>) {
      // The toolkit colours its lines itself.
      const text = stripVTControlCharacters(message.message).trim();
      if (text === '') return;
      // CDK_TOOLKIT_I5502: one stack event (https://docs.aws.amazon.com/cdk/api/toolkit-lib/message-registry/).
      if (message.code === 'CDK_TOOLKIT_I5502') {
        const event = (message.data as { event?: { LogicalResourceId?: string; ResourceStatus?: string; ResourceStatusReason?: string } })
          .event;
        if (event?.LogicalResourceId) {
          if (!event.ResourceStatus?.endsWith('_IN_PROGRESS')) step()?.update(`${event.LogicalResourceId} ${event.ResourceStatus ?? ''}`);
          if (event.ResourceStatus?.endsWith('_FAILED') && event.ResourceStatusReason)
            onFailure(`${event.LogicalResourceId}: ${event.ResourceStatusReason}`);
        }
        return;
      }
      io.debug(`cdk: ${text}`);
    },
    // The kit asks its own questions, once, before it begins.
    requestResponse: async <T>(message: IoRequest<unknown, T>): Promise<T> => message.defaultResponse,
  };
}
