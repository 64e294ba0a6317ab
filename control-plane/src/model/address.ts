/** Addresses as text, in one form: it is a key as often as it is shown, so all must write it alike. */

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
