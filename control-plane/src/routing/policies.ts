/** Every routing policy that a service can name. To add one: its file in policies/, its test, a line here. */
import { leastConnections } from './policies/least-connections.ts';
import { random } from './policies/random.ts';
import { roundRobin } from './policies/round-robin.ts';
import { weighted } from './policies/weighted.ts';
import type { RoutingPolicy } from './policy.ts';

export const routingPolicies: readonly RoutingPolicy<never>[] = [
  leastConnections,
  roundRobin,
  random,
  weighted,
] as unknown as readonly RoutingPolicy<never>[];
