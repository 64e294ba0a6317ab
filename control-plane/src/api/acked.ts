/** `?wait=acked`: the answer to a write waits until the gateways run it, or says which do not and why. */
import { SwitchboardError } from '../model/errors.ts';
import { durationMs } from '../model/units.ts';
import type { WriteResult } from '../model/write.ts';
import type { Call } from './endpoint.ts';
import type { WriteAnswer } from './types.ts';

/** The revision of the one resource that was written: of its last change, which an unchanged write and a dry run are not. */
function writtenRevision({ api }: Call, { changes, revision, dryRun }: WriteResult): number | undefined {
  const [only, ...others] = changes.filter((change) => change.kind !== 'Instance');
  if (only === undefined || others.length > 0) return undefined;
  if (!dryRun && (only.action === 'created' || only.action === 'updated')) return revision;
  const { services, routes, rollouts } = api.registry.view();
  if (only.kind === 'Service') return services.get(only.name)?.revision;
  if (only.kind === 'Rollout') return rollouts.get(only.name)?.revision;
  return only.kind === 'Route' ? routes.get(only.name)?.revision : undefined;
}

export async function answerWrite(call: Call, result: WriteResult): Promise<WriteAnswer> {
  const { wait, timeout } = call.query as { wait?: string; timeout?: string };
  const revision = writtenRevision(call, result);
  if (revision !== undefined) call.hono.header('etag', `"${revision}"`);
  if (wait === undefined || result.dryRun) return result;
  const acks = await call.api.whenAcked(result.revision, durationMs(timeout ?? '30s'), call.closing);
  if (acks.refused.length > 0) {
    const text = acks.refused.map(({ node, type, message }) => `${node} ${type}: ${message}`).join('; ');
    throw new SwitchboardError('unsupported', `revision ${result.revision} is stored, but Envoy refuses it: ${text}`, {
      issues: acks.refused.map(({ node, type, message }) => ({ path: `${node}.${type}`, message })),
      remedy: 'Correct the resource: the gateways keep their last good configuration until then.',
    });
  }
  if (acks.pending.length > 0 || acks.acked.length === 0) {
    const who =
      acks.pending.length > 0 ? `not yet acknowledged by ${acks.pending.join(', ')}` : 'no gateway is connected';
    throw new SwitchboardError('timeout', `revision ${result.revision} is stored, but ${who}`, {
      remedy: 'See `switchboard get gateways`.',
    });
  }
  return { ...result, acks };
}
