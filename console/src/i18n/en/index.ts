/** English, and with its type the list of messages that every language must have. */
import { editor } from './editor.ts';
import { chart, drain, health, rollout } from './operations.ts';
import { overview } from './overview.ts';
import { events, service, sessions } from './service.ts';
import { gateways, guide, keys, playground, routes, settings, topology } from './routes.ts';
import type { Sentences } from '../sentences.ts';
import { services } from './services.ts';
import { ask, live, nouns, shell, signIn, states, verbs } from './shell.ts';

export const en = {
  nouns,
  states,
  verbs,
  live,
  signIn,
  shell,
  ask,
  overview,
  services,
  service,
  sessions,
  events,
  gateways,
  guide,
  keys,
  playground,
  routes,
  settings,
  topology,
  chart,
  drain,
  editor,
  health,
  rollout,
  /** The control plane's own sentences are English. */
  sentences: undefined as Sentences | undefined,
};
export type Messages = typeof en;
