/**
 * The Runtime port: how an instance comes to run. A runtime does what it is told and reports what it sees; when to start,
 * stop or restart is decided by the reconcile loop. Closing a runtime leaves everything running, to be adopted later.
 */
import type { z } from 'zod';
import type { Issue } from '../model/errors.ts';
import type { ProcessIdentity } from '../model/instance.ts';
import type { LogLine } from '../model/log-line.ts';
import type { Address, Launch, ServiceSpec } from '../model/service.ts';
import type { PortAllocator } from './ports.ts';

export interface StartRequest {
  /** Starting twice with the same id gives the same running instance. */
  readonly instance: string;
  readonly service: string;
  readonly version: number;
  readonly launch: Launch;
}

/** A command beside what runs: `launch` is used where the runtime has kept none, as of an instance that an earlier version has started. */
export interface CommandRequest extends Omit<StartRequest, 'launch'> {
  readonly launch: Launch | undefined;
  /** Beside the instance's own environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** How it ended. Code and signal are null when that can't be known. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
  /** Its last words. */
  readonly log: readonly string[];
  /** Why, where that is known beyond code and signal. */
  readonly cause?: ExitCause;
}

/** What runs. */
export interface Running {
  readonly instance: string;
  readonly service: string;
  readonly version: number;
  readonly address: Address;
  readonly process: ProcessIdentity;
  readonly startedAt: string;
  /** Set in the first answer of `list` alone: it has ended while nobody watched, which is told here in place of an event. */
  readonly exit?: Exit;
}

export interface ExitCause {
  readonly reason: 'OutOfMemory' | 'ProcessLimit' | 'Removed';
  /** A sentence without full stop and subject. */
  readonly message: string;
}

export type RuntimeEvent =
  /** It ended, on its own or because it was stopped; reported exactly once for each run. */
  | ({ readonly type: 'exited'; readonly instance: string; readonly process: ProcessIdentity } & Exit)
  /** It holds more memory than `launch.memoryLimit`; reported once for each run. */
  | { readonly type: 'over-memory'; readonly instance: string; readonly bytes: number; readonly limit: number }
  /** What it is doing for an instance that is being started, such as pulling its image. */
  | { readonly type: 'progress'; readonly instance: string; readonly message: string }
  /** What runs can't be seen or changed for now: nothing of it counts as ended. Then it can again. */
  | { readonly type: 'unreachable'; readonly message: string }
  | { readonly type: 'reachable' };

export interface ResourceUsage {
  readonly cpuMs: number;
  readonly memoryBytes: number;
  readonly processes: number;
}

/** How a command beside an instance ended. */
export interface CommandEnd {
  readonly ok: boolean;
  /** What it did, without subject and full stop: `ended with code 3`. */
  readonly message: string;
}

export interface Runtime {
  /**
   * What a launch needs and this machine does not have now, as far as that can be known before a start: told at every apply, and nothing is
   * started until all of it is there. Paths start at the document. A runtime that can't tell lacks it.
   */
  missing?(launch: Launch): readonly Issue[];
  /** Errors: `invalid` (command not found, permission denied, missing secret or folder: issues name the field), `unavailable` (no free port). */
  start(request: StartRequest, signal: AbortSignal): Promise<Running>;
  /**
   * SIGTERM to the process group, SIGKILL after the grace; resolves when the group is gone, with whether it had to be killed. Stopping what does not run is
   * no error.
   */
  stop(instance: string, options: { graceMs: number }): Promise<{ readonly killed: boolean }>;
  /**
   * Runs a command beside a running instance: in its folder, with the environment that it was started with, what it prints in the instance's log. What still runs of it
   * after `timeoutMs` is ended. Never rejects. A runtime that can't run one lacks it, and says so in `check`.
   */
  run?(request: CommandRequest, command: readonly string[], options: { timeoutMs: number }): Promise<CommandEnd>;
  /** Everything that runs now, found again after a restart of the control plane too. Error: `unavailable` (can't be seen for now). */
  list(): Promise<Running[]>;
  watch(listener: (event: RuntimeEvent) => void): () => void;
  /** What each running instance has used of the processor since its start, and holds of memory, with all its processes. A runtime that can't tell lacks it. */
  usage?(): Promise<ReadonlyMap<string, ResourceUsage>>;
  /** The last `tail` lines, then, with `follow`, new ones until the signal. */
  logs(instance: string, options: { tail: number; follow: boolean; signal: AbortSignal }): AsyncIterable<LogLine>;
  /** Deletes what is left of an instance that will not come back: working folder and logs. */
  remove(instance: string): Promise<void>;
  /** Stops watching. Instances go on running. */
  close(): Promise<void>;
}

export interface RuntimeContext {
  /** Absolute folder that the runtime may use as its own. */
  readonly folder: string;
  /** Where agents listen, and the ports for them: one allocator for all runtimes of this machine. */
  readonly host: string;
  readonly ports: PortAllocator;
  /** How much of each stream of an instance's log is kept. */
  readonly logs: { readonly maxBytes: number; readonly files: number };
  readonly now: () => number;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  /** The environment that references (`fromEnv`) are read from and that processes inherit their PATH, HOME and locale from. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface RuntimeDriver<Options> {
  readonly name: string;
  /** Of the runtime itself, from the settings' `runtimes.<name>`. */
  readonly options: z.ZodType<Options>;
  /** What of a service this runtime can't do, or needs; paths start at the document. Asked at every apply. */
  check(spec: ServiceSpec): Issue[];
  create(options: Options, context: RuntimeContext): Promise<Runtime>;
}
