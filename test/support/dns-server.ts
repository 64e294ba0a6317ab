/** A DNS server on loopback for tests: A, AAAA, CNAME, NXDOMAIN, SERVFAIL and silence, by a zone that can be changed at any time. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv4 } from 'node:net';

export interface DnsName {
  addresses?: readonly string[];
  /** Of the name that it is another one of; that one's own records are added. */
  cname?: string;
  /** Seconds; default: 1. */
  ttl?: number;
  /** Instead of an answer, to both kinds of question or to one. */
  fails?: 'SERVFAIL' | 'silence';
  failsOnly?: 'A' | 'AAAA';
}

export interface DnsServer extends AsyncDisposable {
  /** `127.0.0.1:port` */
  readonly address: string;
  /** By name in lower case; what is not in it does not exist. */
  readonly zone: Map<string, DnsName>;
  /** Questions so far, such as `A agent.example`. */
  readonly asked: string[];
}

const TYPES: Readonly<Record<number, 'A' | 'AAAA'>> = { 1: 'A', 28: 'AAAA' };
const RCODE = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3 };

const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
const nameBytes = (name: string): Buffer =>
  Buffer.concat([
    ...name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.from([0]),
  ]);

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const words = (text = ''): number[] => (text === '' ? [] : text.split(':').map((word) => parseInt(word, 16)));
  const [before, after] = [words(head), words(tail)];
  const zeros = Array<number>(8 - before.length - after.length).fill(0);
  return Buffer.concat([...before, ...(tail === undefined ? [] : zeros), ...after].map(u16));
}

function record(name: string, type: number, ttl: number, data: Buffer): Buffer {
  return Buffer.concat([nameBytes(name), u16(type), u16(1), u16(0), u16(ttl), u16(data.length), data]);
}

export async function startDnsServer(zone: Record<string, DnsName> = {}): Promise<DnsServer> {
  const names = new Map(Object.entries(zone));
  const asked: string[] = [];
  const socket = createSocket('udp4');

  function answersTo(name: string, type: 'A' | 'AAAA'): Buffer[] {
    const found = names.get(name);
    if (found === undefined) return [];
    const { addresses = [], cname, ttl = 1 } = found;
    const own = addresses
      .filter((address) => isIPv4(address) === (type === 'A'))
      .map((address) => record(name, type === 'A' ? 1 : 28, ttl, addressBytes(address)));
    return cname === undefined ? own : [record(name, 5, ttl, nameBytes(cname)), ...answersTo(cname, type), ...own];
  }

  socket.on('message', (query, from) => {
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const name = labels.join('.').toLowerCase();
    const type = TYPES[query.readUInt16BE(at + 1)];
    asked.push(`${type ?? '?'} ${name}`);
    const found = names.get(name);
    const fails = found?.failsOnly === undefined || found.failsOnly === type ? found?.fails : undefined;
    if (type === undefined || fails === 'silence') return;
    const rcode = fails === 'SERVFAIL' ? RCODE.SERVFAIL : found === undefined ? RCODE.NXDOMAIN : RCODE.NOERROR;
    const answers = rcode === RCODE.NOERROR ? answersTo(name, type) : [];
    const head = Buffer.concat([
      query.subarray(0, 2),
      u16(0x8180 | rcode),
      u16(1),
      u16(answers.length),
      u16(0),
      u16(0),
    ]);
    socket.send(Buffer.concat([head, query.subarray(12, at + 5), ...answers]), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    zone: names,
    asked,
    async [Symbol.asyncDispose]() {
      socket.close();
      await once(socket, 'close');
    },
  };
}
