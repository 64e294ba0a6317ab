/** The settings' hosts: what may be listened on, and where that is found. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { splitAddress } from './address.ts';

/** All addresses of the machine: with `::`, those of IPv4 too. */
export const ALL_IPV4 = '0.0.0.0';
export const ALL_IPV6 = '::';

/** Where programs of this machine find what listens on `host`: what listens on all addresses is found at loopback, and `::` at that of IPv4 too. */
export const reachableHost = (host: string): string => (host === ALL_IPV4 || host === ALL_IPV6 ? '127.0.0.1' : host);

/** The one form of each IPv6 address: https://www.rfc-editor.org/rfc/rfc5952 */
const shortest = (ipv6: string): string | undefined => URL.parse(`http://[${ipv6}]`)?.hostname.slice(1, -1);

/** In place of a name: it stands for several addresses, or others tomorrow, and what listens can not follow. */
const NOT_A_NAME = `must be an IP address of this machine, not a name: 127.0.0.1 or localhost for this machine alone, ${ALL_IPV4} or ${ALL_IPV6} for all its addresses`;

/** An address to listen on, in its shortest form; `localhost` is 127.0.0.1. */
export const ListenHost = z
  .string()
  .min(1)
  .max(253)
  .transform((text, context): string => {
    const refuse = (message: string): never => {
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    };
    if (text.toLowerCase() === 'localhost') return '127.0.0.1';
    const host = text.replace(/^\[(.*)\]$/, '$1');
    if (isIP(host) === 4) return host;
    if (isIP(host) === 0) {
      const { host: before, port } = splitAddress(text);
      const alone = isIP(before) !== 0 && /^\d+$/.test(port);
      return refuse(
        alone ? `must be the address alone, ${before}: ${port} is for the setting port beside it` : NOT_A_NAME,
      );
    }
    const short = shortest(host);
    if (short === undefined)
      return refuse('must be an address without a zone (%): write another address of this machine');
    return /^::ffff:[\da-f]+:[\da-f]+$/.test(short)
      ? refuse('is an IPv4 address written as IPv6: write it as IPv4, such as 127.0.0.1')
      : short;
  });
