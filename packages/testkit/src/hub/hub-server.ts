import { createHash } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { type HubFault, type HubRequest, faultFor, misbehave } from './hub-fault';
import { sendFile } from './send-file';

/** A model on the server: the files of its commits, and what its branches and tags are at. */
export interface ServedModel {
  readonly commits: Readonly<Record<string, ServedFiles>>;
  readonly refs: Readonly<Record<string, string>>;
  /** Who may read it: everybody, those who have accepted its conditions, or its owner. */
  readonly access?: 'public' | 'gated' | 'private';
}

/** Content by name. */
export type ServedFiles = Readonly<Record<string, Uint8Array>>;

/** A server on the loopback interface that answers as the Hub does. */
export interface HubServer {
  /** Its address, for HF_ENDPOINT. */
  readonly url: string;
  /** The address of the store that it sends to for large files: another port, so another host to a token. */
  readonly storeUrl: string;
  readonly models: Record<string, ServedModel>;
  /** The faults, in this order; each as often as it says. */
  readonly faults: HubFault[];
  /** Every request so far. */
  readonly requests: HubRequest[];
  /** Listings have so many files a page. */
  pageSize: number;
  close(): Promise<void>;
}

/** Files whose names end so are not held by Git itself. */
const LARGE = /\.(?:safetensors|bin)$/;
/** May read everything. */
export const HUB_TOKEN = 'hf_tokenOfTheTests';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const gitHash = (bytes: Uint8Array): string =>
  createHash('sha1').update(`blob ${bytes.byteLength}\0`).update(bytes).digest('hex');

/** Starts a server with these models; whoever starts it closes it. */
export async function startHub(models: Readonly<Record<string, ServedModel>>): Promise<HubServer> {
  const faults: HubFault[] = [];
  const requests: HubRequest[] = [];
  const guarded =
    (host: HubRequest['host'], answer: (request: IncomingMessage, response: ServerResponse) => void) =>
    (request: IncomingMessage, response: ServerResponse) => {
      const { url: path = '', headers } = request;
      const { authorization, range } = headers;
      requests.push({ host, path, authorization, range });
      const fault = faultFor(faults, { host, path });
      if (fault === undefined) answer(request, response);
      else misbehave(fault, request, response, answer);
    };
  const store = await listening(
    createServer(
      guarded('store', (request, response) => {
        const [, repository = '', commit = '', name = ''] = partsOf(request.url, /^\/(.+)@(\w+)\/(.+)$/);
        const content = served.models[repository]?.commits[commit]?.[name];
        if (content === undefined) refuse(response, 404);
        else sendFile(request, response, content, { etag: `"${sha256(content)}"` });
      }),
    ),
  );
  const hub = await listening(
    createServer(
      guarded('hub', (request, response) => {
        answered(served, request, response);
      }),
    ),
  );
  const served: HubServer = {
    url: addressOf(hub),
    storeUrl: addressOf(store),
    models: { ...models },
    faults,
    requests,
    pageSize: 1000,
    close: async () => {
      await Promise.all([hub, store].map(closed));
    },
  };
  return served;
}

function answered(hub: HubServer, request: IncomingMessage, response: ServerResponse): void {
  const [, listed, listedRevision = '', query = ''] = partsOf(
    request.url,
    /^\/api\/models\/([^/]+\/[^/]+)\/(?:tree)\/([^/?]+)\?(.*)$/,
  );
  const [, described, describedRevision = ''] = partsOf(
    request.url,
    /^\/api\/models\/([^/]+\/[^/]+)\/revision\/([^/?]+)/,
  );
  const [, resolved, resolvedRevision = '', file = ''] = partsOf(
    request.url,
    /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/,
  );
  const repository = listed ?? described ?? resolved;
  if (repository === undefined) return refuse(response, 404);
  const model = hub.models[repository];
  const isKnown = request.headers.authorization === `Bearer ${HUB_TOKEN}`;
  // Who may not see a model is not told whether there is one.
  if (model === undefined || (model.access === 'private' && !isKnown))
    return refuse(response, isKnown ? 404 : 401, 'RepoNotFound');
  if (model.access === 'gated' && !isKnown && described === undefined)
    return refuse(response, 401, 'GatedRepo');
  const revision = listedRevision + describedRevision + resolvedRevision;
  const commit = model.refs[revision] ?? revision;
  const files = model.commits[commit];
  if (files === undefined) return refuse(response, 404, 'RevisionNotFound');
  if (described !== undefined) {
    const lastModified = '2026-01-01T00:00:00.000Z';
    return sendJson(response, {
      _id: '0',
      id: described,
      sha: commit,
      private: false,
      gated: false,
      lastModified,
    });
  }
  if (listed !== undefined)
    return sendPage(hub, response, listingOf(files), {
      path: `/api/models/${listed}/tree/${revision}`,
      query,
    });
  const content = files[file];
  if (content === undefined) return refuse(response, 404, 'EntryNotFound');
  const headers = { 'x-repo-commit': commit };
  if (!LARGE.test(file))
    return sendFile(request, response, content, { ...headers, etag: `"${gitHash(content)}"` });
  response.writeHead(302, {
    ...headers,
    location: `${hub.storeUrl}/${repository}@${commit}/${file}`,
    'x-linked-etag': `"${sha256(content)}"`,
    'x-linked-size': String(content.byteLength),
  });
  response.end();
}

const listingOf = (files: ServedFiles): unknown[] =>
  Object.entries(files).map(([path, content]) => ({
    type: 'file',
    path,
    size: content.byteLength,
    oid: gitHash(content),
    ...(LARGE.test(path)
      ? { lfs: { oid: sha256(content), size: content.byteLength, pointerSize: 134 } }
      : {}),
  }));

function sendPage(
  { url, pageSize }: HubServer,
  response: ServerResponse,
  all: readonly unknown[],
  { path, query }: { readonly path: string; readonly query: string },
): void {
  const begin = Number(new URLSearchParams(query).get('cursor') ?? 0);
  const end = begin + pageSize;
  if (end < all.length) response.setHeader('link', `<${url}${path}?cursor=${end}>; rel="next"`);
  sendJson(response, all.slice(begin, end));
}

function sendJson(response: ServerResponse, content: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(content));
}

function refuse(response: ServerResponse, status: number, code?: string): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    ...(code === undefined ? {} : { 'x-error-code': code }),
  });
  response.end(JSON.stringify({ error: 'no' }));
}

const partsOf = (url: string | undefined, pattern: RegExp): readonly (string | undefined)[] =>
  (pattern.exec(url ?? '') ?? []).map((part) => decodeURIComponent(part));

async function listening(server: Server): Promise<Server> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function addressOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return `http://127.0.0.1:${address.port}`;
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
