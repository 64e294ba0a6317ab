import type { Messages } from '../en/index.ts';
import { editor } from './editor.ts';
import { chart, drain, health, rollout } from './operations.ts';
import { overview } from './overview.ts';
import { events, service, sessions } from './service.ts';
import { gateways, guide, keys, playground, routes, settings, topology } from './routes.ts';
import { sentences } from './sentences.ts';
import { services } from './services.ts';
import { ask, live, nouns, shell, signIn, states, verbs } from './shell.ts';

export const zhCN: Messages = {
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
  sentences,
};
