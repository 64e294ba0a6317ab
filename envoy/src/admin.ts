/** Envoy's admin interface over its unix socket. */
import { request } from 'node:http';

export interface AdminOptions {
  readonly method?: 'GET' | 'POST';
  readonly timeoutMs?: number;
}

/** Rejects when Envoy does not answer in time or answers with another status than 200. */
export async function admin(
  socketPath: string,
  path: string,
  { method = 'GET', timeoutMs = 2_000 }: AdminOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request(
      { socketPath, path, method, agent: false, signal: AbortSignal.timeout(timeoutMs) },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(parts).toString('utf8');
          if (response.statusCode === 200) resolve(text);
          else reject(new Error(`${method} ${path} answered ${response.statusCode ?? 0}: ${text.slice(0, 200)}`));
        });
      },
    );
    call.on('error', reject);
    call.end();
  });
}

/** The node id of the Envoy at the socket, and whether it is draining; undefined: none answers. */
export async function whoAnswers(
  socketPath: string,
): Promise<{ nodeId: string; state: string; epoch: number } | undefined> {
  try {
    const info = JSON.parse(await admin(socketPath, '/server_info')) as {
      state: string;
      node: { id: string };
      command_line_options: { restart_epoch?: number };
    };
    return { nodeId: info.node.id, state: info.state, epoch: info.command_line_options.restart_epoch ?? 0 };
  } catch {
    return undefined;
  }
}

/** Open WebSocket sessions. */
export async function openSessions(socketPath: string): Promise<number> {
  const text = await admin(socketPath, '/stats?filter=downstream_cx_upgrades_active&format=json');
  const { stats } = JSON.parse(text) as { stats: { name?: string; value?: number }[] };
  return stats.reduce(
    (sum, stat) => sum + (stat.name?.startsWith('http.clients.') === true ? (stat.value ?? 0) : 0),
    0,
  );
}
