/** The measured process of the xDS benches, as its parent sees it. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { NODE_ENVIRONMENT, NODE_FLAGS } from '../../control-plane/src/cli/node-options.ts';
import type { HostAnswer, HostCommand } from './xds-host.ts';

export const SIZE = { services: 1_000, instances: 10 };

export class Host {
  private readonly child: ChildProcess = fork(join(import.meta.dirname, 'xds-host.ts'), {
    // As the product's own process is started.
    execArgv: [...NODE_FLAGS],
    env: { ...NODE_ENVIRONMENT, ...process.env },
  });

  async tell(command: HostCommand): Promise<HostAnswer> {
    const answer = once(this.child, 'message') as Promise<[HostAnswer]>;
    this.child.send(command);
    return (await answer)[0];
  }

  end(): void {
    this.child.kill('SIGKILL');
  }
}
