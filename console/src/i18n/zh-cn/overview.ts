import type { Messages } from '../en/index.ts';

export const overview: Messages['overview'] = {
  well: '一切正常',
  bad: (bad, warn) => `${bad} 项需要立即处理${warn === 0 ? '' : `，另有 ${warn} 项需要留意`}`,
  warn: (warn) => `${warn} 项需要留意`,
  busy: (services) => `${services} 个服务正在变化，无需处理`,
  openSessions: '打开的会话',
  servicesReady: '就绪的服务',
  instancesReady: '就绪的实例',
  gatewaysInSync: '已同步的网关',
  overTime: '打开的会话随时间变化',
  aboutHistory: '关于此图',
  historyText: '由本标签页采集，每秒一个点，保留最近 15 分钟，从打开页面时开始。重新加载页面后重新采集。',
  attention: '需要处理',
  nothing: '没有需要处理的事项。',
  instances: (all) => `${all} 个实例`,
  noGateway: '没有已连接的网关',
  more: (rest) => `还有 ${rest} 项`,
  recent: '最近事件',
  all: '查看全部',
};
