/** Every routing policy that a service can name. To add one: its file in policies/, its test, a line here. */
import { hash } from './policies/hash.ts';
import { leastConnections } from './policies/least-connections.ts';
import { levels } from './policies/levels.ts';
import { performance } from './policies/performance.ts';
import { random } from './policies/random.ts';
import { roundRobin } from './policies/round-robin.ts';
import { tags } from './policies/tags.ts';
import { weighted } from './policies/weighted.ts';
import type { RoutingPolicy } from './policy.ts';

export const routingPolicies: readonly RoutingPolicy<never>[] = [
  leastConnections,
  roundRobin,
  random,
  weighted,
  performance,
  hash,
  tags,
  levels,
] as unknown as readonly RoutingPolicy<never>[];
