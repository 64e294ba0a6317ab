/**
 * What Node can't read as a request never reaches the application. It is answered in the form of all errors, and what the client is still
 * sending is read and thrown away for a moment: a connection that is closed on it is reset, and then the client sees no answer.
 */
import type { Duplex } from 'node:stream';
import { randomUUID } from 'node:crypto';
import { SwitchboardError } from '../model/errors.ts';
import { problemOf } from './errors.ts';

const LINGER_MS = 1_000;
const LARGEST_HEAD = 'address and headers together are larger than 16 KiB';

function errorOf({ code }: NodeJS.ErrnoException): SwitchboardError {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new SwitchboardError('too_large', `the request is too large: ${LARGEST_HEAD}`, {
      remedy: 'Put what is long into the body, or ask for less at a time.',
    });
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new SwitchboardError('timeout', 'the request did not arrive in time', { remedy: 'Send it at once.' });
  return new SwitchboardError('invalid', 'the request is not HTTP/1.1 as RFC 9112 has it');
}

const STATUS: Readonly<Record<string, string>> = {
  too_large: '431 Request Header Fields Too Large',
  timeout: '408 Request Timeout',
  invalid: '400 Bad Request',
};

export function answerUnreadable(cause: NodeJS.ErrnoException, socket: Duplex): void {
  // Answered already: this is more of what can't be read.
  if (socket.writableEnded) return;
  if (cause.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const error = errorOf(cause);
  const line = STATUS[error.code] ?? '400 Bad Request';
  const status = Number(line.split(' ')[0]);
  const body = JSON.stringify({ ...problemOf(error, randomUUID()), status });
  const head = [
    `HTTP/1.1 ${line}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  socket.end([...head, 'connection: close', '', body].join('\r\n'));
  socket.on('error', () => socket.destroy());
  socket.resume();
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}
