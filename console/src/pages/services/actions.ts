/** What can be done to a service, and the question that is put before it. */
import type { ServiceView } from '../../../../control-plane/src/api/types.ts';
import { t } from '../../i18n/i18n.svelte.ts';
import { live } from '../../live/live.svelte.ts';
import { asking, type Action } from '../../shell/ask.svelte.ts';
import { notices } from '../../shell/notices.svelte.ts';

export type Verb = 'start' | 'stop' | 'restart' | 'delete';

/** Only what applies now. */
export function verbsOf(service: ServiceView): Verb[] {
  if (!service.spec.enabled) return ['start', 'delete'];
  return service.spec.runtime === 'external' ? ['stop', 'delete'] : ['restart', 'stop', 'delete'];
}

function actionOf(name: string, verb: Verb): Action {
  const { api } = live;
  return {
    name,
    run: async ({ dryRun, now }) => {
      if (verb === 'start') return api.start(name, { dryRun });
      if (verb === 'stop') return api.stop(name, { dryRun, now });
      if (verb === 'restart') return api.restart(name, { dryRun, now });
      return api.deleteService(name, { dryRun, now });
    },
  };
}

/** Starting ends nothing, so one is started without a question. */
export async function perform(names: readonly string[], verb: Verb): Promise<void> {
  await notices.attempt(async () => {
    const actions = names.map((name) => actionOf(name, verb));
    const [first] = actions;
    if (verb === 'start' && actions.length === 1 && first !== undefined) {
      await first.run({ dryRun: false, now: false });
      return;
    }
    const what = names.length === 1 ? (names[0] ?? '') : t().services.several(names.length);
    await asking.ask(t().ask.title(t().verbs[verb], what), t().verbs[verb], actions, { canEndNow: verb !== 'start' });
  });
}
