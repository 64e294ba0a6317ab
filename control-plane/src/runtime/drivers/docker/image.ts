/** Bringing an image to the engine, as its pull policy says. */
import type Docker from 'dockerode';
import { SwitchboardError, messageOf } from '../../../model/errors.ts';
import type { LaunchOptions } from './launch.ts';

const LONGEST_ERROR = 16_384;

function missing(image: string, why: string): SwitchboardError {
  const message = `there is no image ${image}: ${why}`;
  return new SwitchboardError('invalid', `spec.launch.image: ${message}`, {
    issues: [{ path: 'spec.launch.image', message }],
  });
}

async function has(docker: Docker, image: string): Promise<boolean> {
  try {
    await docker.getImage(image).inspect();
    return true;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return false;
    throw error;
  }
}

/** Error: `invalid` (spec.launch.image) when it can't be had. */
export async function ensureImage(
  docker: Docker,
  image: string,
  policy: LaunchOptions['pull'],
  signal: AbortSignal,
  tell: (message: string) => void,
): Promise<void> {
  if (policy !== 'always' && (await has(docker, image))) return;
  if (policy === 'never') throw missing(image, 'the engine does not have it, and spec.launch.options.pull is never');
  tell(`pulling ${image}`);
  // Without a tag an engine would pull every tag there is.
  const [path = image] = image.split('@');
  const tagged = /:[^/]+$/.test(path) || image.includes('@') ? image : `${image}:latest`;
  try {
    const progress = await docker.pull(tagged, { abortSignal: signal });
    let told = '';
    for await (const part of progress) told = (told + String(part)).slice(-LONGEST_ERROR);
    // A failure is told in the last line of what is otherwise an answer of success.
    const last: unknown = JSON.parse(told.trim().split('\n').at(-1) ?? '{}');
    if (typeof last === 'object' && last !== null && 'error' in last) throw new Error(String(last.error));
  } catch (error) {
    signal.throwIfAborted();
    throw missing(image, `it can not be pulled (${messageOf(error).replace(/\s+/g, ' ').slice(0, 300)})`);
  }
  if (!(await has(docker, image))) throw missing(image, 'it was pulled, but the engine does not have it');
}
