/** One HTTP request to somebody else's service, for metrics that live elsewhere: bounded in time and size, an error as a sentence. */
import { messageOf } from '../model/errors.ts';

const LONGEST_ANSWER = 1_000_000;

/** Error: a sentence that names the host and what went wrong; never the query or a token. */
export async function askJson(url: URL, init: RequestInit): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(url, { ...init, redirect: 'error' });
  } catch (cause) {
    throw new Error(`${url.host} can not be asked: ${messageOf((cause as Error).cause ?? cause)}`, { cause });
  }
  const text = await response.text();
  if (!response.ok) throw new Error(`${url.host} answered ${response.status}`);
  if (text.length > LONGEST_ANSWER) throw new Error(`${url.host} answered with more than ${LONGEST_ANSWER} characters`);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Error(`${url.host} answered with what is not JSON`);
  }
}
