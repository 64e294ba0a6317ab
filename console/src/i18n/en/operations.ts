/** What happens over time: history, drains, health, rollouts. */
import { count } from './plural.ts';

export const chart = {
  range: 'Time shown',
  ranges: { live: 'Live', '1h': '1 h', '24h': '1 day', '30d': '30 days' },
  stored:
    'As the control plane has kept it: the most at a time in each step. A gap is a time of which nothing is known.',
};

export const drain = {
  title: 'Draining',
  verb: 'Drain',
  about: 'No new sessions; open ones go on as long as they like, and the instance stays until you end the drain.',
  left: (sessions: number) => `${count(sessions, 'session')} left`,
  deadline: (time: string) => `deadline in ${time}`,
  noDeadline: 'open sessions may go on',
  estimate: (time: string) => `empty in about ${time}`,
  unknown: 'no estimate yet',
  cancel: 'End the drain',
  undrain: (name: string) => `End the drain of ${name}`,
};

export const health = {
  levels: {
    process: 'Process',
    tcp: 'Port',
    http: 'HTTP',
    websocket: 'WebSocket',
    application: 'Application',
    gateway: 'Gateway',
    agent: 'Own report',
  },
  states: { ok: 'Well', degraded: 'Degraded', failed: 'Failed', unknown: 'Not known yet', off: 'Not looked at' },
};

export const rollout = {
  none: 'No rollout yet',
  noneText: 'One begins when the command, its environment or the probe of the service is changed.',
  title: (number: number, from: number, to: number) => `Rollout ${number}: version ${from} to ${to}`,
  began: (time: string) => `began ${time} ago`,
  sides: 'Where sessions go',
  share: 'Of new sessions',
  ready: 'Ready',
  old: 'old',
  new: 'new',
  draining: (instances: number) => `${instances} draining`,
  stay: 'Shares are of new sessions. Open ones stay where they are until they end.',
  measured: 'What was measured',
  notMeasured: 'Nothing yet.',
  verdicts: {
    pass: 'no sign against it',
    fail: 'worse',
    inconclusive: 'could not be told',
    waiting: 'too few sessions yet',
  },
  stage: (weight: number, instances: number) => `${weight} % on ${count(instances, 'instance')}`,
  full: 'Everything',
  manual: 'until promoted',
  since: (time: string) => `for ${time}`,
  stays: (time: string) => `stays for ${time}`,
  verbs: {
    promote: 'Promote',
    'promote-full': 'Promote fully',
    pause: 'Pause',
    resume: 'Go on',
    abort: 'Take back',
    retry: 'Try again',
  },
  ask: {
    promote: (name: string, to: number) => `Give version ${to} of ${name} the next share now?`,
    'promote-full': (name: string, to: number) => `Let version ${to} of ${name} take over without further stages?`,
    pause: (name: string, to: number) => `Pause the rollout of version ${to} of ${name} where it is?`,
    resume: (name: string, to: number) => `Go on with the rollout of version ${to} of ${name}?`,
    abort: (name: string, to: number) => `Take version ${to} of ${name} back?`,
    retry: (name: string, to: number) => `Begin the rollout of version ${to} of ${name} again?`,
  },
};
