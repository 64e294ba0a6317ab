/** What every runtime must do. A driver's test calls this with a way to make it and launch specifications that it understands. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { isError } from '../model/errors.ts';
import type { Launch } from '../model/service.ts';
import type { Runtime, RuntimeEvent, StartRequest } from './runtime.ts';

export interface RuntimeKit {
  /** Opens the runtime on the same folder each time, so that a second one finds what the first started. */
  open(): Promise<Runtime>;
  /** Runs until it is told to stop, and prints `hello`, and `ready` to its error output. */
  readonly steady: Launch;
  /** Does not end at SIGTERM. */
  readonly stubborn: Launch;
  /** Prints `last words` and ends with code 7. */
  readonly failing: Launch;
  /** Can't be started at all. */
  readonly impossible: Launch;
  /** For a runtime that runs commands beside an instance: prints `beside` and the reference's value `INHERITED`; ends with code 5; never ends. */
  readonly commands?: { readonly good: string[]; readonly failing: string[]; readonly endless: string[] };
}

let count = 0;

function request(launch: Launch): StartRequest {
  count += 1;
  return { instance: `kit-${process.pid}-${count}`, service: 'kit', version: 1, launch };
}

async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  for (let round = 0; round < 400; round += 1) {
    if (await check()) return;
    await sleep(25);
  }
  throw new Error('it did not come about');
}

export function runtimeConformance(name: string, kit: RuntimeKit): void {
  const never = new AbortController().signal;
  describe(`runtime ${name}`, () => {
    it('starts once for an id, lists it, and stops it', async () => {
      const runtime = await kit.open();
      const one = request(kit.steady);
      const [first, second] = await Promise.all([runtime.start(one, never), runtime.start(one, never)]);
      expect(second).toEqual(first);
      expect(await runtime.start(one, never)).toEqual(first);
      expect((await runtime.list()).filter((run) => run.instance === one.instance)).toEqual([first]);
      await runtime.stop(one.instance, { graceMs: 2_000 });
      expect((await runtime.list()).map((run) => run.instance)).not.toContain(one.instance);
      await runtime.stop(one.instance, { graceMs: 0 });
      await runtime.stop('never-was', { graceMs: 0 });
      await runtime.remove(one.instance);
      await runtime.close();
    });

    it('ends what does not end by itself', async () => {
      const runtime = await kit.open();
      const one = request(kit.stubborn);
      const run = await runtime.start(one, never);
      await sleep(300);
      await runtime.stop(one.instance, { graceMs: 200 });
      expect(() => process.kill(run.process.pid, 0)).toThrow();
      await runtime.close();
    });

    it('reports an end once, with its code and last words', async () => {
      const runtime = await kit.open();
      const events: RuntimeEvent[] = [];
      runtime.watch((event) => events.push(event));
      const one = request(kit.failing);
      const run = await runtime.start(one, never);
      await until(() => events.some((event) => event.type === 'exited'));
      await sleep(1_200);
      expect(events.filter((event) => event.type === 'exited')).toEqual([
        { type: 'exited', instance: one.instance, process: run.process, code: 7, signal: null, log: ['last words'] },
      ]);
      await runtime.close();
    });

    it('finds again what runs, and reports its end', async () => {
      const first = await kit.open();
      const one = request(kit.steady);
      const run = await first.start(one, never);
      await first.close();
      const second = await kit.open();
      const isEnd = (event: RuntimeEvent): boolean => event.type === 'exited' && event.instance === one.instance;
      const events: RuntimeEvent[] = [];
      second.watch((event) => events.push(event));
      expect((await second.list()).find((found) => found.instance === one.instance)?.process).toEqual(run.process);
      expect((await second.start(one, never)).process).toEqual(run.process);
      process.kill(run.process.pid, 'SIGKILL');
      await until(() => events.some(isEnd));
      expect(events.filter(isEnd)).toHaveLength(1);
      await second.close();
    });

    it('gives the log: the last lines, and what comes', async () => {
      const runtime = await kit.open();
      const one = request(kit.steady);
      await runtime.start(one, never);
      const stop = new AbortController();
      const texts: string[] = [];
      const reading = (async () => {
        for await (const line of runtime.logs(one.instance, { tail: 10, follow: true, signal: stop.signal }))
          texts.push(`${line.stream}: ${line.text}`);
      })();
      await until(() => texts.length >= 2);
      stop.abort();
      await reading;
      expect(texts.some((text) => text === 'stdout: hello')).toBe(true);
      expect(texts.some((text) => text.startsWith('stderr: '))).toBe(true);
      await runtime.stop(one.instance, { graceMs: 1_000 });
      await runtime.close();
    });

    const { commands } = kit;
    // A runtime that runs commands says with which; the others have none to try.
    if (commands !== undefined)
      it('runs a command beside an instance, and no longer than it may', async () => {
        const runtime = await kit.open();
        const one = request({ ...kit.steady, env: { INHERITED: 'of its own' } });
        await runtime.start(one, never);
        const run = async (command: string[] = [], timeoutMs = 20_000) =>
          runtime.run?.({ ...one, launch: undefined, env: { SAID: 'more' } }, command, { timeoutMs });
        const readAll = async (): Promise<string[]> => {
          const texts: string[] = [];
          const read = { tail: 20, follow: false, signal: AbortSignal.timeout(10_000) };
          for await (const line of runtime.logs(one.instance, read)) texts.push(line.text);
          return texts;
        };
        // What the agent itself prints must not come in between.
        await until(async () => (await readAll()).includes('ready'));
        expect(await run(commands.good)).toMatchObject({ ok: true });
        expect(await run(commands.failing)).toEqual({ ok: false, message: 'ended with code 5' });
        expect(await run(['no-such-command-anywhere'])).toMatchObject({
          ok: false,
          message: expect.stringContaining('command not found: no-such-command-anywhere') as string,
        });
        const begin = performance.now();
        expect(await run(commands.endless, 200)).toEqual({
          ok: false,
          message: 'did not end within 200 ms and was killed',
        });
        expect(performance.now() - begin).toBeGreaterThanOrEqual(200);
        expect(await readAll()).toContain('beside of its own');
        // What it was beside still runs.
        expect((await runtime.list()).map(({ instance }) => instance)).toContain(one.instance);
        await runtime.stop(one.instance, { graceMs: 1_000 });
        expect(await run(commands.good)).toEqual({ ok: false, message: 'was not run: the instance has ended' });
        await runtime.close();
      });

    it('names what is wrong with a launch, and leaves nothing behind', async () => {
      const runtime = await kit.open();
      const one = request(kit.impossible);
      const error: unknown = await runtime.start(one, never).catch((thrown: unknown) => thrown);
      expect(isError(error, 'invalid') ? error.issues[0]?.path : error).toMatch(/^spec\.launch\./);
      expect((await runtime.list()).map((run) => run.instance)).not.toContain(one.instance);
      await runtime.close();
    });
  });
}
