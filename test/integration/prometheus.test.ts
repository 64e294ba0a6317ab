/**
 * What Prometheus and Grafana are given in deploy/: checked by the real promtool and, against a real control plane, by a real Prometheus. Every
 * name and label is one of ours, every alert is seen firing and quiet, and no panel is empty where something happens.
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { createProgram } from '../../control-plane/src/cli/program.ts';
import { SERIES, type Series } from '../../control-plane/src/metrics/series.ts';
import { prometheusFolder, promtool, startPrometheus } from '../support/prometheus.ts';
import { echoService, repository, startWorld } from '../support/world.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: Readonly<Record<string, string>>;
}
interface Tests {
  readonly tests: readonly {
    readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts: readonly unknown[] }[];
  }[];
}
interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string }[];
}
interface Dashboard {
  readonly uid: string;
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
  readonly panels: readonly Panel[];
}

const yaml = (name: string): unknown => parse(readFileSync(join(prometheusFolder, name), 'utf8'));
const rules = (yaml('rules.yaml') as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);
const grafana = join(repository, 'deploy/grafana');
const dashboards = readdirSync(grafana)
  .filter((name) => name.endsWith('.json'))
  .map((name) => ({ name, text: readFileSync(join(grafana, name), 'utf8') }))
  .map(({ name, text }) => ({ name, text, board: JSON.parse(text) as Dashboard }));

/** A dashboard's expression as Grafana would send it. */
const filled = (expr: string, service: string, installation: string): string =>
  expr
    .replaceAll('$__rate_interval', '30s')
    .replaceAll('$service', service)
    .replaceAll('$gateway', 'gateway-1')
    .replaceAll('$installation', installation);
const panelsOf = (board: Dashboard): { title: string; expr: string }[] =>
  board.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));
const expressions = [
  ...rules.map(({ alert, expr }) => ({ where: alert, expr })),
  ...dashboards.flatMap(({ name, board }) => [
    ...panelsOf(board).map(({ title, expr }) => ({ where: `${name}: ${title}`, expr })),
    ...board.annotations.list.map(({ expr }) => ({ where: `${name}: annotation`, expr })),
    ...board.templating.list.flatMap(({ name: variable, definition }) =>
      definition === undefined
        ? []
        : [{ where: `${name}: ${variable}`, expr: definition.replace(/^label_values\((.*), \w+\)$/, '$1') }],
    ),
  ]),
];

/** Names of series in an expression, and the labels that it uses of any. */
function namesIn(expr: string): { series: string[]; labels: string[] } {
  const labels = new Set<string>();
  const bare = expr
    .replaceAll(/"[^"]*"/g, '""')
    .replaceAll(/\{([^}]*)\}/g, (_, matchers: string) => {
      for (const [, label = ''] of matchers.matchAll(/(\w+)\s*[!=]/g)) labels.add(label);
      return ' ';
    })
    .replaceAll(/\b(?:by|on|without|ignoring|group_left|group_right)\s*\(([^)]*)\)/g, (_, list: string) => {
      for (const label of list.split(',')) if (label.trim() !== '') labels.add(label.trim());
      return ' ';
    })
    .replaceAll(/\[[^\]]*\]|\boffset \w+/g, ' ');
  const words = [...bare.matchAll(/[a-zA-Z_:][\w:]*(?!\w|\s*\()/g)].map(([word]) => word);
  return {
    series: words.filter((word) => !['and', 'or', 'unless', 'bool'].includes(word)),
    labels: [...labels],
  };
}

function isTold(name: string): boolean {
  const series = (SERIES as Record<string, Series | undefined>)[name];
  if (series !== undefined) return series.kind !== 'histogram';
  const base = (SERIES as Record<string, Series | undefined>)[name.replace(/_(bucket|sum|count)$/, '')];
  return base?.kind === 'histogram' || name === 'up';
}

describe('what deploy/ gives to Prometheus', () => {
  it('is right, and each alert was seen firing', () => {
    for (const args of [
      ['check', 'rules', 'rules.yaml'],
      ['test', 'rules', 'rules.test.yaml'],
    ])
      expect(promtool(...args)).toMatchObject({ ok: true });
    const fired = (yaml('rules.test.yaml') as Tests).tests
      .flatMap((test) => test.alert_rule_test)
      .filter((test) => test.exp_alerts.length > 0)
      .map((test) => test.alertname);
    expect([...new Set(fired)].sort()).toEqual(rules.map(({ alert }) => alert).sort());
  });

  it('names only commands that there are', () => {
    const known = createProgram().commands.map((command) => command.name());
    const named = rules.flatMap(({ annotations: { action = '' } }) =>
      [...action.matchAll(/\bswitchboard ([a-z]+)/g)].map(([, command]) => command ?? ''),
    );
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((command) => !known.includes(command))).toEqual([]);
  });
});

describe('rules and dashboards', () => {
  it('name only series and labels that there are', () => {
    const labels = new Set([
      'instance',
      'job',
      'le',
      'agent',
      ...Object.values<Series>(SERIES).flatMap((one) => one.labels),
    ]);
    const wrong = expressions.flatMap(({ where, expr }) => {
      const names = namesIn(expr);
      return [
        ...(names.series.length === 0 ? [`${where}: no series`] : []),
        ...names.series.filter((name) => !isTold(name)).map((name) => `${where}: ${name}`),
        ...names.labels.filter((name) => !labels.has(name)).map((name) => `${where}: label ${name}`),
      ];
    });
    expect(wrong).toEqual([]);
    expect(namesIn('sum by (nothing) (rate(switchboard_sesions{servce="a"}[5m])) or on (x) up > 3')).toEqual({
      series: ['switchboard_sesions', 'up'],
      labels: ['servce', 'nothing', 'x'],
    });
  });

  it('work with any data source, and no panel lies on another', () => {
    expect(dashboards.map(({ name }) => name).sort()).toEqual(['gateway.json', 'overview.json', 'service.json']);
    for (const { text, board } of dashboards) {
      const uids = [...text.matchAll(/"datasource":\s*\{[^}]*"uid":\s*"([^"]*)"/g)].map(([, uid]) => uid);
      expect(new Set(uids)).toEqual(new Set(['${datasource}']));
      expect(board.templating.list.map(({ name }) => name).slice(0, 2)).toEqual(['datasource', 'installation']);
      expect(new Set(board.panels.map(({ id }) => id)).size).toBe(board.panels.length);
      const taken = new Set<string>();
      for (const { gridPos, title } of board.panels) {
        expect([title, gridPos.x + gridPos.w <= 24]).toEqual([title, true]);
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
            expect(taken.has(`${x} ${y}`)).toBe(false);
            taken.add(`${x} ${y}`);
          }
      }
    }
  });

  it('are sound in a real Prometheus that scrapes a real control plane', async () => {
    const token = 'scraper-token-0123456789';
    const canary = { strategy: 'canary', steps: [{ weight: 50, pause: 'manual' }] };
    const weather = (mark: string): unknown => echoService('weather', { rollout: canary }, ['--mark', mark]);
    await using world = await startWorld({
      seed: [
        weather('one'),
        echoService('finance', {
          autoscale: { min: 1, max: 3, sessions: 50 },
          gateway: { limits: { sessionsPerInstance: 100, queue: { size: 10 } } },
        }),
      ],
      environment: { SWITCHBOARD_METRICS_TOKEN: token },
    });
    await using prometheus = await startPrometheus({ apiUrl: world.client.url, token });
    const crowds = await Promise.all([world.crowd('weather', 6), world.crowd('finance', 6)]);
    await world.client.apply([weather('two')]);
    await world.until('the canary waits', async () => (await world.client.rollout('weather')).phase === 'paused');
    await crowds[0].close();
    const installation = new URL(world.client.url).host;
    const ask = async (expr: string): Promise<unknown[]> => {
      const { result } = (await prometheus.get('query', { query: expr })) as { result: unknown[] };
      return result;
    };
    await world.until('the ends are scraped', async () => {
      const ends = 'sum(increase(switchboard_session_ends_total[1m])) > 5';
      return (await ask(ends)).length > 0;
    });

    // Every series that is told without anything going wrong is there.
    const told = new Set((await prometheus.get('label/__name__/values')) as string[]);
    const missing = Object.entries<Series>(SERIES)
      .map(([name, { kind }]) => (kind === 'histogram' ? `${name}_count` : name))
      .filter((name) => !told.has(name));
    expect(missing.sort()).toEqual(
      [
        'switchboard_wire_refused_calls_total',
        'switchboard_xds_late_total',
        'switchboard_xds_nacks_total',
        'switchboard_xds_stale_nonces_total',
        'switchboard_xds_streams_ended_total',
      ].filter((name) => !told.has(name)),
    );

    const empty: string[] = [];
    for (const { name, board } of dashboards)
      for (const { title, expr } of panelsOf(board)) {
        const answers = await Promise.all(
          ['weather', 'finance'].map(async (service) => ask(filled(expr, service, installation))),
        );
        if (answers.every((answer) => answer.length === 0)) empty.push(`${name}: ${title}: ${expr}`);
      }
    expect(empty).toEqual([]);

    // All is well; the rollout waits for a person, which is told after an hour.
    const states = async (): Promise<Record<string, string>> => {
      const { groups } = (await prometheus.get('rules')) as {
        groups: { rules: { name: string; state: string; health: string }[] }[];
      };
      const all = groups.flatMap((group) => group.rules);
      expect(all.filter(({ health }) => health !== 'ok')).toEqual([]);
      return Object.fromEntries(
        all.filter(({ state }) => state !== 'inactive').map(({ name, state }) => [name, state]),
      );
    };
    await world.until('no alert but one is about to fire', async () => {
      expect(await states()).toEqual({ SwitchboardRolloutWaits: 'pending' });
      return true;
    });
    await world.killControlPlane();
    await world.until('its end is seen', async () => 'SwitchboardDown' in (await states()));
    await crowds[1].close();
  });
});

it('an expression that no Prometheus reads would be found', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sb-expressions-'));
  const file = join(folder, 'expressions.yaml');
  const check = (exprs: readonly string[]): { ok: boolean; output: string } => {
    const all = exprs.map((expr, index) => ({ record: `panel:${index}`, expr: filled(expr, 'a', 'b') }));
    writeFileSync(file, stringify({ groups: [{ name: 'all', rules: all }] }));
    return promtool('check', 'rules', file);
  };
  const good = check(expressions.map(({ expr }) => expr));
  const bad = check(['sum by (service (switchboard_sessions)']);
  rmSync(folder, { recursive: true });
  expect([good, bad]).toMatchObject([{ ok: true }, { ok: false }]);
});
