/**
 * What an Envoy thinks of each instance, from its admin's list of clusters as text: as JSON it costs Envoy's main thread five times as much,
 * and us twice. https://www.envoyproxy.io/docs/envoy/latest/operations/admin#get--clusters
 */

const FLAGS = '::health_flags::';

/**
 * Addresses (`ip:port`) of all endpoints that the Envoy has an opinion of, with a sentence for those that it finds ill; '' for the others.
 * One that some cluster has yet to check is left out: until its first check is good, that cluster sends it nothing.
 */
export function opinionsIn(text: string): Map<string, string> {
  const found = new Map<string, string>();
  const pending = new Set<string>();
  // Lines are `cluster::address::health_flags::/one/other` or `...::healthy`; no name of a cluster has `::` in it, an IPv6 address may.
  for (let at = text.indexOf(FLAGS); at >= 0; at = text.indexOf(FLAGS, at + FLAGS.length)) {
    const line = text.lastIndexOf('\n', at) + 1;
    const upstream = text.slice(text.indexOf('::', line) + 2, at);
    const end = text.indexOf('\n', at);
    const flags = text.slice(at + FLAGS.length, end < 0 ? undefined : end).split('/');
    const isPending = flags.includes('pending_active_hc');
    const ill =
      flags.includes('failed_active_hc') && !isPending
        ? 'the gateway sends it no new sessions: its own health check fails'
        : flags.includes('failed_outlier_check')
          ? 'the gateway sends it no new sessions: too many of its requests failed'
          : '';
    if (isPending) pending.add(upstream);
    // One of several clusters that finds it ill is worth telling.
    if (ill !== '' || !found.has(upstream)) found.set(upstream, ill);
  }
  for (const upstream of pending) if (found.get(upstream) === '') found.delete(upstream);
  return found;
}
