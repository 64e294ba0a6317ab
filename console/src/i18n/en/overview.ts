import { count } from './plural.ts';

export const overview = {
  well: 'All is well',
  bad: (bad: number, warn: number) =>
    `${count(bad, 'thing')} ${bad === 1 ? 'needs' : 'need'} attention now${warn === 0 ? '' : `, ${warn} more to watch`}`,
  warn: (warn: number) => `${count(warn, 'thing')} to watch`,
  busy: (services: number) => `${count(services, 'service')} changing; nothing needs you`,
  openSessions: 'Open sessions',
  servicesReady: 'Services ready',
  instancesReady: 'Instances ready',
  gatewaysInSync: 'Gateways in sync',
  overTime: 'Open sessions over time',
  aboutHistory: 'About this chart',
  historyText:
    'Collected in this tab, one point a second for the last 15 minutes, since the page was opened. It starts anew when the page is loaded again.',
  attention: 'Needs attention',
  nothing: 'Nothing needs you.',
  instances: (all: number) => count(all, 'instance'),
  noGateway: 'No gateway is connected',
  more: (rest: number) => `${rest} more`,
  recent: 'Recent events',
  all: 'Show all',
};
