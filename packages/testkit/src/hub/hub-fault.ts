import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** A request as the server saw it. */
export interface HubRequest {
  readonly host: 'hub' | 'store';
  readonly path: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
}

/** A way to go wrong. */
export type Misbehaviour =
  /** An answer of its own. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: OutgoingHttpHeaders;
      readonly body?: string | Uint8Array;
    }
  /** The body ends with the connection after so many bytes. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** After so many bytes nothing comes any more. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  /** The whole file, whatever part is asked for. */
  | { readonly kind: 'ignore range' };

export interface HubFault {
  readonly on: RegExp;
  readonly host?: HubRequest['host'];
  times: number;
  readonly does: Misbehaviour;
}

/** The first fault for a request that is not used up. */
export function faultFor(
  faults: readonly HubFault[],
  { host, path }: Pick<HubRequest, 'host' | 'path'>,
): Misbehaviour | undefined {
  const found = faults.find(
    (fault) => fault.times > 0 && fault.on.test(path) && (fault.host ?? host) === host,
  );
  if (found !== undefined) found.times--;
  return found?.does;
}

export function misbehave(
  fault: Misbehaviour,
  request: IncomingMessage,
  response: ServerResponse,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): void {
  switch (fault.kind) {
    case 'answer':
      response.writeHead(fault.status, fault.headers);
      response.end(fault.body);
      break;
    case 'ignore range':
      delete request.headers.range;
      answer(request, response);
      break;
    case 'cut':
    case 'stall': {
      const { afterBytes, kind } = fault;
      const end = response.end.bind(response);
      response.end = ((content?: unknown) => {
        if (!(content instanceof Uint8Array)) return end(content);
        response.write(content.subarray(0, afterBytes), () => {
          if (kind === 'cut') response.destroy();
        });
        return response;
      }) satisfies (content?: unknown) => ServerResponse;
      answer(request, response);
      break;
    }
    default:
      fault satisfies never;
  }
}
