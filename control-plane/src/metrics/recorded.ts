/**
 * What history records, as counters and histograms from the start of the process. What happens often costs a look into a map; it is added up
 * until it is read. A label set is there from the start, at zero: Prometheus does not see the first step of one that appears with it. It is
 * forgotten when its service or instance has been gone for a while.
 */
import { metricOf, type Labels, type MetricName } from '../history/metrics.ts';
import { END_CAUSES } from '../telemetry/ending.ts';
import { REFUSAL_CAUSES } from '../telemetry/refusal.ts';
import type { Instruments, SeriesLabels } from './instruments.ts';
import { INSTANCE_LABEL, SERIES, type Series, type SeriesName } from './series.ts';

export interface Recorded {
  record: (metric: MetricName, labels: Labels, value: number) => void;
  /** Before it is read: adds up, and looks at who is there. */
  settle(there: Owners): void;
}

export interface Owners {
  readonly services: readonly string[];
  readonly instances: readonly { readonly id: string; readonly service: string }[];
  readonly gateways: readonly { readonly node: string }[];
}

/** Longer than Prometheus looks back for a value. */
const FORGET_MS = 15 * 60_000;
/** As many places as are added up at most without a reader. */
const MOST_PENDING = 2_000;

const CAUSES: Readonly<Partial<Record<SeriesName, readonly string[]>>> = {
  switchboard_connect_failures_total: REFUSAL_CAUSES,
  switchboard_session_ends_total: END_CAUSES,
};

interface Rule {
  readonly name: SeriesName;
  readonly kind: Series['kind'];
  readonly labels: readonly (keyof Labels)[];
  readonly perInstance: boolean;
  readonly factor: number;
}

function rulesOf(perInstance: boolean): Map<string, Rule> {
  const rules = new Map<string, Rule>();
  for (const [name, series] of Object.entries<Series>(SERIES)) {
    if (series.recorded === undefined) continue;
    rules.set(series.recorded, {
      name: name as SeriesName,
      kind: series.kind,
      labels: series.labels as readonly (keyof Labels)[],
      perInstance: perInstance && series.perInstance === true,
      factor: metricOf(series.recorded)?.unit === 'milliseconds' ? 1 / 1000 : 1,
    });
  }
  return rules;
}

export function createRecorded(instruments: Instruments, perInstance: boolean, now: () => number): Recorded {
  const rules = rulesOf(perInstance);
  const pending = new Map<Rule, Map<Labels, number>>();
  let places = 0;
  /** Every label set that is told, and whose it is: an instance's, else a service's. */
  const told = new Map<string, { rule: Rule; labels: SeriesLabels; owner: string }>();
  const lastThere = new Map<string, number>();

  function labelsOf(rule: Rule, from: Labels): SeriesLabels {
    const labels: SeriesLabels = {};
    for (const name of rule.labels) labels[name] = from[name] ?? '';
    const instance = rule.perInstance ? (from.instance ?? '') : '';
    if (rule.perInstance) labels[INSTANCE_LABEL] = instance;
    const key = `${rule.name} ${Object.values(labels).join(' ')}`;
    if (!told.has(key)) {
      const service = labels['service'] ?? '';
      const owner = instance === '' ? service : `${service} ${instance}`;
      told.set(key, { rule, labels, owner });
      if (!lastThere.has(owner)) lastThere.set(owner, now());
    }
    return labels;
  }

  function flush(): void {
    for (const [rule, sums] of pending)
      for (const [from, sum] of sums) instruments.count(rule.name, labelsOf(rule, from), sum);
    pending.clear();
    places = 0;
  }

  function begin(from: Labels): void {
    for (const rule of rules.values()) {
      if (rule.kind !== 'counter') continue;
      const causes = CAUSES[rule.name];
      // An instance's causes appear as they come: all of them for each would be too many.
      if (causes === undefined) instruments.count(rule.name, labelsOf(rule, from), 0);
      else if (from.instance === undefined)
        for (const cause of causes) instruments.count(rule.name, labelsOf(rule, { ...from, cause }), 0);
    }
  }

  function forget(): void {
    const limit = now() - FORGET_MS;
    const gone = new Set([...lastThere].filter(([owner, at]) => owner !== '' && at <= limit).map(([owner]) => owner));
    if (gone.size === 0) return;
    for (const [key, { rule, labels, owner }] of told) {
      if (!gone.has(owner)) continue;
      instruments.drop(rule.name, labels);
      told.delete(key);
    }
    for (const owner of gone) {
      lastThere.delete(owner);
      for (const place of begun) if (place === owner || place.startsWith(`${owner}\n`)) begun.delete(place);
    }
  }
  const begun = new Set<string>();

  return {
    record(metric, labels, value) {
      const rule = rules.get(metric);
      if (rule === undefined) return;
      if (rule.kind === 'histogram') {
        instruments.observe(rule.name, labelsOf(rule, labels), value * rule.factor);
        return;
      }
      if (!(value > 0)) return;
      let sums = pending.get(rule);
      if (sums === undefined) pending.set(rule, (sums = new Map<Labels, number>()));
      const before = sums.get(labels);
      if (before === undefined) places += 1;
      sums.set(labels, (before ?? 0) + value * rule.factor);
      if (places > MOST_PENDING) flush();
    },
    settle({ services, instances, gateways }) {
      const owners: { owner: string; from: Labels }[] = services.map((service) => ({
        owner: service,
        from: { service },
      }));
      if (perInstance)
        for (const { id, service } of instances)
          owners.push({ owner: `${service} ${id}`, from: { service, instance: id } });
      for (const { owner, from } of owners) {
        lastThere.set(owner, now());
        for (const { node } of gateways) {
          const place = `${owner}\n${node}`;
          if (begun.has(place)) continue;
          begun.add(place);
          begin({ ...from, gateway: node });
        }
      }
      flush();
      forget();
    },
  };
}
