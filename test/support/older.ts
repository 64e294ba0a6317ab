/** A control plane as an older one would answer: before the real one, leaving out of every JSON answer what says nothing (null, an empty list or object). */
import { createServer, request, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

function poorer(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(poorer);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, one]) => one !== null && !(typeof one === 'object' && Object.keys(one as object).length === 0))
      .map(([key, one]) => [key, poorer(one)]),
  );
}

function without(headers: IncomingHttpHeaders, ...names: readonly string[]): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}

export interface OlderControlPlane extends AsyncDisposable {
  readonly url: string;
  /** Fields that were left out so far. */
  readonly leftOut: () => number;
}

export async function startOlder(url: string): Promise<OlderControlPlane> {
  let leftOut = 0;
  const server = createServer((asked, answer) => {
    const headers = without(asked.headers, 'host');
    const forward = request(new URL(asked.url ?? '/', url), { method: asked.method, headers }, (got) => {
      const parts: Buffer[] = [];
      got.on('data', (part: Buffer) => parts.push(part));
      got.on('end', () => {
        const text = Buffer.concat(parts).toString();
        const isJson = got.headers['content-type']?.startsWith('application/json') === true;
        const sent = isJson ? JSON.stringify(poorer(JSON.parse(text))) : text;
        if (isJson) leftOut += text.length - sent.length;
        answer.writeHead(got.statusCode ?? 500, without(got.headers, 'content-length', 'transfer-encoding')).end(sent);
      });
    });
    forward.on('error', () => answer.destroy());
    asked.pipe(forward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    leftOut: () => leftOut,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
