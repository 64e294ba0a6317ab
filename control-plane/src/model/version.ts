/** A Version is what an instance of a service runs: immutable, numbered from 1 within its service. */
import type { Probe } from './probe.ts';
import type { Launch } from './service.ts';

export interface Version {
  kind: 'Version';
  service: string;
  number: number;
  runtime: string;
  launch: Launch | undefined;
  probe: Probe;
  note: string;
  author: string;
  createdAt: string;
  /** Kept whatever the length of the history. */
  pinned?: boolean;
}
