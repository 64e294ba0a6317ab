/** `npm run bench -- [--only NAME] [--quick] [--json]`: every figure beside its reference or goal. */
import { parseArgs } from 'node:util';
import { audit } from './audit.ts';
import { canary } from './canary.ts';
import { churn } from './churn.ts';
import { consoleBench } from './console.ts';
import { controlPath } from './control-path.ts';
import { dataPath } from './data-path.ts';
import { failover } from './failover.ts';
import { fleet } from './fleet.ts';
import type { Figure } from './figure.ts';
import { lifecycle } from './lifecycle.ts';
import { listing } from './lists.ts';
import { logFlood } from './log-flood.ts';
import { rolling } from './rolling.ts';
import { routing } from './routing.ts';
import { scaling } from './scaling.ts';
import { healthChecks } from './health-checks.ts';
import { sessionTable } from './session-table.ts';
import { start } from './start.ts';
import { xdsBenches } from './xds.ts';
import { telemetry } from './telemetry.ts';

const BENCHES: Readonly<Record<string, (quick: boolean) => Promise<Figure[]>>> = {
  start,
  audit,
  'data-path': dataPath,
  'control-path': controlPath,
  churn,
  ...xdsBenches,
  fleet,
  telemetry,
  console: consoleBench,
  lists: listing,
  lifecycle,
  canary,
  rolling,
  scaling,
  'log-flood': logFlood,
  routing,
  failover,
  'health-checks': healthChecks,
  'session-table': sessionTable,
};

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
if (values.only !== undefined && BENCHES[values.only] === undefined) {
  process.stderr.write(`there is no bench ${values.only}: use one of ${Object.keys(BENCHES).join(', ')}\n`);
  process.exit(2);
}

function row({ name, unit, value, min, max, reference, ratio, goal, ok }: Figure): string {
  const number = (n: number): string => n.toFixed(n < 10 ? 2 : 1);
  const against = reference === null ? '' : `, reference ${number(reference)}, ratio ${(ratio ?? NaN).toFixed(3)}`;
  return `${ok ? 'ok  ' : 'MISS'} ${name}: ${number(value)} ${unit} (${number(min)} to ${number(max)})${against}; goal ${goal}`;
}

let missed = 0;
for (const [name, bench] of Object.entries(BENCHES)) {
  if (values.only !== undefined && values.only !== name) continue;
  for (const figure of await bench(values.quick)) {
    process.stdout.write(`${values.json ? JSON.stringify(figure) : row(figure)}\n`);
    if (!figure.ok) missed += 1;
  }
}
process.exitCode = missed === 0 ? 0 : 1;
