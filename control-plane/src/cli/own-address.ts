/** Which address of this machine others reach it at: the one that it itself comes from when it connects to them. */
import { connect, isIP } from 'node:net';
import { SwitchboardError } from '../model/errors.ts';
import { ALL_IPV4, ALL_IPV6 } from '../model/listen-host.ts';
import { isThisMachine } from './settings.ts';

const LONGEST_MS = 5_000;

/** An IPv4 address that came in as IPv6 is told as IPv4. */
const plain = (address: string): string => address.replace(/^::ffff:(?=[\d.]+$)/, '');

/** Of this machine, towards where `url` is. Undefined: nobody answers there. */
export async function addressTowards(url: string): Promise<string | undefined> {
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port) || (protocol === 'https:' ? 443 : 80), timeout: LONGEST_MS });
    const tell = (address: string | undefined): void => {
      socket.destroy();
      resolve(address === undefined ? undefined : plain(address));
    };
    socket.once('connect', () => {
      tell(socket.localAddress);
    });
    socket.once('timeout', () => {
      tell(undefined);
    });
    socket.once('error', () => {
      tell(undefined);
    });
  });
}

const isLoopback = (address: string): boolean => /^(127\.|::1$|localhost$)/.test(address);

export interface Reached {
  readonly host: string;
  /** A sentence: the gateway will hardly find it there. */
  readonly warning?: string;
}

/** Where an agent of this machine is to listen, so that the gateway of the control plane at `url` reaches it. `given`: by the user. Error: `invalid`. */
export async function agentHost(url: string, given: string | undefined): Promise<Reached> {
  if (given === ALL_IPV4 || given === ALL_IPV6)
    throw new SwitchboardError('invalid', `--host ${given} is no address that the gateway could connect to`, {
      remedy: 'Name the one address at which it reaches this machine, or leave --host out.',
    });
  const host = given ?? (await addressTowards(url)) ?? '127.0.0.1';
  if (!isLoopback(host) || isThisMachine(url) || isIP(host) === 0) return { host };
  return {
    host,
    warning: `the agent is registered at ${host}, which is this machine alone, and the control plane is at ${url}: name the address at which its gateway reaches this machine with --host`,
  };
}
