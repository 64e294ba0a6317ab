import { policyConformance } from '../conformance.ts';
import { leastConnections } from './least-connections.ts';
import { random } from './random.ts';
import { roundRobin } from './round-robin.ts';
import { weighted } from './weighted.ts';

policyConformance(leastConnections, [{}, { choices: 5 }]);
policyConformance(roundRobin, [{}]);
policyConformance(random, [{}]);
policyConformance(weighted, [{}]);
