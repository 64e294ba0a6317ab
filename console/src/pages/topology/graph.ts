/** Gateways, services, versions and instances in columns, and how many sessions go from one to the next. Pure. */
import type { LiveState } from '../../../../control-plane/src/api/types.ts';
import { kindOf, wordOf, type Kind } from '../../ui/status.ts';

interface GraphNode {
  readonly id: string;
  readonly column: 0 | 1 | 2 | 3;
  readonly label: string;
  readonly kind: Kind;
  readonly word: string;
  readonly sessions: number;
  readonly href: string;
}

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly sessions: number;
}

const RANK: Readonly<Record<Kind, number>> = { bad: 0, warn: 1, busy: 2, ok: 3, off: 4 };
const sum = (all: readonly { readonly sessions: number }[]): number =>
  all.reduce((total, one) => total + one.sessions, 0);

/** `service`: that one alone; empty: all, where those with more than `mostInstances` show their versions only. */
export function graphOf(
  state: LiveState,
  service: string,
  mostInstances: number,
): { nodes: GraphNode[]; edges: Edge[] } {
  const nodes: GraphNode[] = [];
  const edges: Edge[] = [];
  const services = state.services.filter((one) => service === '' || one.name === service);
  for (const gateway of state.gateways) {
    const states = Object.values(gateway.types).map((one) => one.state);
    const word = states.includes('ERROR') ? 'ERROR' : states.includes('STALE') ? 'STALE' : 'SYNCED';
    nodes.push({
      id: `g ${gateway.node}`,
      column: 0,
      label: gateway.node,
      kind: kindOf(word),
      word,
      sessions: sum(services.map((one) => one.status)),
      href: '/gateways',
    });
  }
  for (const { name, status } of services) {
    nodes.push({
      id: `s ${name}`,
      column: 1,
      label: name,
      kind: kindOf(status.state),
      word: status.state,
      sessions: status.sessions,
      href: `/services/${name}`,
    });
    for (const gateway of state.gateways)
      edges.push({ from: `g ${gateway.node}`, to: `s ${name}`, sessions: status.sessions });
    const its = state.instances.filter((instance) => instance.service === name);
    for (const [version, all] of [...Map.groupBy(its, (instance) => instance.version)].sort(([a], [b]) => a - b)) {
      const id = `v ${name} ${version}`;
      const worst = all.map(wordOf).sort((a, b) => RANK[kindOf(a)] - RANK[kindOf(b)])[0] ?? 'stopped';
      nodes.push({
        id,
        column: 2,
        label: `${name} v${version}`,
        kind: kindOf(worst),
        word: worst,
        sessions: sum(all),
        href: `/services/${name}/versions?version=${version}`,
      });
      edges.push({ from: `s ${name}`, to: id, sessions: sum(all) });
      if (its.length > mostInstances && service === '') continue;
      for (const instance of all) {
        const word = wordOf(instance);
        nodes.push({
          id: `i ${instance.id}`,
          column: 3,
          label: instance.id,
          kind: kindOf(word),
          word,
          sessions: instance.sessions,
          href: `/services/${name}?instance=${instance.id}`,
        });
        edges.push({ from: id, to: `i ${instance.id}`, sessions: instance.sessions });
      }
    }
  }
  return { nodes, edges };
}

interface Placed extends GraphNode {
  /** Rows from the top. */
  readonly row: number;
}

/** Instances give the rows; what leads to them stands in their middle. */
export function place(nodes: readonly GraphNode[], edges: readonly Edge[]): { placed: Placed[]; rows: number } {
  const children = Map.groupBy(edges, (edge) => edge.from);
  const rows = new Map<string, number>();
  let next = 0;
  const visit = (id: string): number => {
    const at = (children.get(id) ?? []).map((edge) => visit(edge.to));
    const row = at.length === 0 ? next++ : (Math.min(...at) + Math.max(...at)) / 2;
    rows.set(id, row);
    return row;
  };
  for (const one of nodes) if (one.column === 1) visit(one.id);
  const gateways = nodes.filter((one) => one.column === 0);
  const height = Math.max(next, gateways.length, 1);
  gateways.forEach((one, index) => rows.set(one.id, ((index + 0.5) / gateways.length) * height - 0.5));
  return { placed: nodes.map((one) => ({ ...one, row: rows.get(one.id) ?? 0 })), rows: height };
}
