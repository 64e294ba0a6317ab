/** Addresses as text, in one form: it is a key as often as it is shown, so all must write it alike. */

const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/i;

/** A name that the DNS can hold; a last label of digits alone is a mistyped IP address. https://url.spec.whatwg.org/#ends-in-a-number-checker */
export function isDnsName(text: string): boolean {
  const labels = text.replace(/\.$/, '').split('.');
  return text.length <= 253 && labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1) ?? '');
}

/** As it stands in a URL or before a port: an IPv6 address in brackets. */
export const hostText = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/** `10.0.0.1:8080`, `[::1]:8080`. */
export const hostPort = (host: string, port: number | string): string => `${hostText(host)}:${port}`;

export const addressText = ({ host, port }: { readonly host: string; readonly port: number }): string =>
  hostPort(host, port);

/** The other way round; an empty port where there is none. */
export function splitAddress(text: string): { host: string; port: string } {
  const at = text.lastIndexOf(':');
  const [host, port] = at < 0 || text.endsWith(']') ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port };
}

interface Place {
  readonly address?: { readonly host: string; readonly port: number } | undefined;
  readonly hostname?: string | undefined;
}

/** Where an instance is, for people: `10.0.0.1:8080`, `10.0.0.1:8080 (agent.example)`, or the name that stands for no address. */
export function placeOf({ address, hostname }: Place): string {
  if (address === undefined) return hostname ?? '';
  return hostname === undefined ? addressText(address) : `${addressText(address)} (${hostname})`;
}
