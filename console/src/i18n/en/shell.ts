/** The frame around all pages, and words that many pages use. */
import { count } from './plural.ts';

export const nouns = {
  overview: 'Overview',
  services: 'Services',
  sessions: 'Sessions',
  routes: 'Routes',
  gateways: 'Gateways',
  topology: 'Topology',
  events: 'Events',
  playground: 'Playground',
  settings: 'Settings',
};

export const states = {
  ready: 'Ready',
  degraded: 'Degraded',
  starting: 'Starting',
  stopped: 'Stopped',
  failed: 'Failed',
  draining: 'Draining',
  pending: 'Pending',
  stopping: 'Stopping',
  backoff: 'Waiting to restart',
  unknown: 'Unknown',
  unhealthy: 'Unhealthy',
  healthy: 'Healthy',
  running: 'Running',
  progressing: 'In progress',
  paused: 'Paused',
  rolloutPaused: 'Rollout paused',
  rolloutAborted: 'Rollout taken back',
  completed: 'Completed',
  aborted: 'Taken back',
  drift: 'Differs',
  SYNCED: 'In sync',
  STALE: 'Not yet acknowledged',
  NOT_SENT: 'Nothing sent',
  ERROR: 'Refused',
};

export const verbs = { start: 'Start', stop: 'Stop', restart: 'Restart', delete: 'Delete' };

export const live = {
  connecting: 'Connecting',
  live: 'Live',
  stale: 'Stale',
  staleTitle: (at: string) => `The control plane does not answer. What you see is from ${at}.`,
  staleText:
    'Open sessions and new connections go on: Envoy serves them without it. This page goes on by itself when it is back.',
};

export const signIn = {
  label: 'Admin token',
  help: 'It is in this file of the data folder:',
  refused: 'This token is not known. Copy it again from the file.',
  spent: 'This link was used already, or is too old. Sign in with the token.',
  button: 'Sign in',
};

export const shell = {
  menu: 'Main menu',
  openMenu: 'Open the menu',
  skip: 'Skip to the content',
  loading: 'Loading',
  failed: 'That did not work',
  unavailable: 'The control plane does not answer. Try again when it is back.',
  retry: 'Try again',
  dismiss: 'Put away',
  copy: (what: string) => `Copy ${what}`,
  close: 'Close',
  copied: 'Copied',
  light: 'Switch to the light theme',
  dark: 'Switch to the dark theme',
  revision: (revision: number) => `revision ${revision}`,
  notFound: 'Page not found',
  notFoundText: 'There is no page at this address. Go on from',
  pageLater: 'This page opens when the control plane answers again.',
  chart: (now: string, most: string) => `now ${now}, at most ${most} in the time shown`,
};

export const ask = {
  title: (verb: string, what: string) => `${verb} ${what}?`,
  description: 'What it does to open sessions',
  ends: (sessions: number) => `${count(sessions, 'open session')} will end at once.`,
  drains: (sessions: number) =>
    `${count(sessions, 'open session')} may go on until the drain deadline; no new ones are taken then.`,
  waits: {
    promotion: (sessions: number) =>
      `${count(sessions, 'open session')} may go on until somebody promotes or resumes the rollout, then to the drain deadline.`,
    autoscaler: (sessions: number) =>
      `${count(sessions, 'open session')} may go on unless the autoscaler takes their instances away.`,
    check: (sessions: number) =>
      `${count(sessions, 'open session')} may go on unless their instance fails what it is asked from now on.`,
  },
  none: 'No open session is touched.',
  instances: (all: number) => `${count(all, 'instance')} concerned`,
  now: 'At once: do not wait for open sessions, end them now.',
  cancel: 'Cancel',
  working: 'Working …',
  done: 'done',
};
