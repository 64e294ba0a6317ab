import { z } from 'zod';
import { SwitchboardError } from '../../model/errors.ts';
import { missing } from '../../model/missing.ts';
import { ROLLOUT_VERBS, type RolloutVerb } from '../../model/rollout.ts';
import type { Version } from '../../model/version.ts';
import { differences } from '../../registry/diff.ts';
import { answerWrite } from '../acked.ts';
import { pageOf } from '../answers/list.ts';
import { RolloutView } from '../answers/rollout.ts';
import { VersionDiff } from '../answers/service.ts';
import { WriteAnswer } from '../answers/write.ts';
import { emptyingBy } from '../emptying.ts';
import { WriteQuery, writeOptions, type Call, type Endpoint } from '../endpoint.ts';
import { answerList, listQuery } from '../lists.ts';
import { observedBy } from '../observed.ts';
import { rolloutView, type Seen } from '../rollout-view.ts';
import { inOrder } from '../views.ts';

const ABOUT: Record<RolloutVerb, string> = {
  pause: 'Pause a rollout where it is',
  resume: 'Go on with a paused rollout; its times begin anew',
  promote: 'Go to the next stage without waiting',
  'promote-full': 'Let the new version take over without further stages',
  abort: 'Take a rollout back: the old version gets all new sessions again',
  retry: 'Begin an aborted rollout again',
};

const seenBy = (api: Call['api']): Seen => ({
  observed: observedBy(api),
  emptying: emptyingBy(api),
  now: api.now(),
});

function viewOf(call: Call, service: string) {
  const view = call.api.registry.view();
  const held = view.rollouts.get(service);
  if (held === undefined)
    throw view.services.has(service)
      ? new SwitchboardError('not_found', `service ${service} has had no rollout`)
      : missing('service', service, view.services.keys());
  return { held, view: rolloutView(held, view, seenBy(call.api)) };
}

function versionOf(call: Call, parameter: string): Version {
  const [service, number] = [call.param('name'), call.param(parameter)];
  const found = call.api.registry
    .view()
    .versions.get(service)
    ?.find((one) => String(one.number) === number);
  if (found === undefined) throw new SwitchboardError('not_found', `service ${service} has no version ${number}`);
  return found;
}

const whatRuns = ({ runtime, launch, probe }: Version): object =>
  JSON.parse(JSON.stringify({ runtime, launch, probe })) as object;

const steer = (verb: RolloutVerb): Endpoint => ({
  method: 'post',
  path: `/v1/services/{name}/rollout/${verb}`,
  summary: ABOUT[verb],
  query: WriteQuery,
  body: { schema: z.strictObject({}), example: {} },
  answer: {
    status: 200,
    schema: WriteAnswer,
    about: 'What was changed. With If-Match (the ETag of the rollout) of two people who act at once, one gets 412.',
  },
  handle: async (call) =>
    answerWrite(call, await call.api.registry.steerRollout(call.param('name'), verb, writeOptions(call))),
});

export const rollouts: readonly Endpoint[] = [
  {
    method: 'get',
    path: '/v1/rollouts',
    summary: 'The newest rollout of every service that has had one',
    query: listQuery(RolloutView),
    answer: { status: 200, schema: pageOf(RolloutView), stream: true, about: 'A page of rollouts, by service.' },
    async handle(call) {
      return answerList(call, {
        items: () => {
          const view = call.api.registry.view();
          const seen = seenBy(call.api);
          return [...view.rollouts.values()]
            .map((held) => rolloutView(held, view, seen))
            .sort((a, b) => inOrder(a.service, b.service));
        },
        keyOf: (one) => one.service,
      });
    },
  },
  {
    method: 'get',
    path: '/v1/services/{name}/rollout',
    summary:
      'The newest rollout of a service: its stages, what was measured, sessions by version, and when the old one may be empty',
    answer: { status: 200, schema: RolloutView, about: 'The rollout; its ETag is its revision.' },
    async handle(call) {
      const { held, view } = viewOf(call, call.param('name'));
      call.hono.header('etag', `"${held.revision}"`);
      return view;
    },
  },
  ...ROLLOUT_VERBS.map(steer),
  {
    method: 'post',
    path: '/v1/services/{name}/undo',
    summary: 'Go back to an earlier version, which takes over in one step',
    query: WriteQuery,
    body: { schema: z.strictObject({ version: z.int().min(1).optional() }), example: { version: 3 } },
    answer: { status: 200, schema: WriteAnswer, about: 'What was changed. Without a version: the one before.' },
    handle: async (call) =>
      answerWrite(
        call,
        await call.api.registry.undo(
          call.param('name'),
          (call.body as { version?: number }).version,
          writeOptions(call),
        ),
      ),
  },
  {
    method: 'get',
    path: '/v1/services/{name}/versions/{number}/diff/{other}',
    summary: 'What differs between two versions',
    answer: { status: 200, schema: VersionDiff, about: 'Dotted paths with the value before and after.' },
    async handle(call) {
      const [before, after] = [versionOf(call, 'number'), versionOf(call, 'other')];
      return { from: before.number, to: after.number, diff: differences(whatRuns(before), whatRuns(after)) };
    },
  },
  {
    method: 'post',
    path: '/v1/services/{name}/versions/{number}/pin',
    summary: 'Keep a version whatever the length of the history, or no longer',
    query: WriteQuery,
    body: { schema: z.strictObject({ pinned: z.boolean() }), example: { pinned: true } },
    answer: { status: 200, schema: WriteAnswer, about: 'What was changed.' },
    async handle(call) {
      const { number } = versionOf(call, 'number');
      const { pinned } = call.body as { pinned: boolean };
      return answerWrite(
        call,
        await call.api.registry.pinVersion(call.param('name'), number, pinned, writeOptions(call)),
      );
    },
  },
];
