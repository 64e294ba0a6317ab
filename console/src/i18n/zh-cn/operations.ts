import type { Messages } from '../en/index.ts';

export const chart: Messages['chart'] = {
  range: '时间范围',
  ranges: { live: '实时', '1h': '1 小时', '24h': '1 天', '30d': '30 天' },
  stored: '由控制面保存：每一步中的最大值。空缺表示该时段没有记录。',
};

export const drain: Messages['drain'] = {
  title: '排空中',
  verb: '排空',
  about: '不再接受新会话；打开的会话可一直继续，实例会保留，直到您结束排空。',
  left: (sessions) => `剩余 ${sessions} 个会话`,
  deadline: (time) => `${time}后到期限`,
  noDeadline: '打开的会话可一直继续',
  estimate: (time) => `预计 ${time}后排空`,
  unknown: '尚无估计',
  cancel: '结束排空',
  undrain: (name) => `结束 ${name} 的排空`,
};

export const health: Messages['health'] = {
  levels: {
    process: '进程',
    tcp: '端口',
    http: 'HTTP',
    websocket: 'WebSocket',
    application: '应用',
    gateway: '网关',
    agent: '自身报告',
  },
  states: { ok: '正常', degraded: '降级', failed: '失败', unknown: '尚不清楚', off: '未检查' },
};

export const rollout: Messages['rollout'] = {
  none: '还没有发布',
  noneText: '修改服务的命令、环境变量或探测后，发布即开始。',
  title: (number, from, to) => `发布 ${number}：版本 ${from} 到 ${to}`,
  began: (time) => `${time}前开始`,
  sides: '会话去向',
  share: '新会话占比',
  ready: '就绪',
  old: '旧版本',
  new: '新版本',
  draining: (instances) => `${instances} 个排空中`,
  stay: '占比仅针对新会话。打开的会话保持原位直到结束。',
  measured: '测量结果',
  notMeasured: '尚无。',
  verdicts: { pass: '未见异常', fail: '更差', inconclusive: '无法判断', waiting: '会话数尚不足' },
  stage: (weight, instances) => `${weight} %，${instances} 个实例`,
  full: '全部',
  manual: '直到手动推进',
  since: (time) => `已 ${time}`,
  stays: (time) => `停留 ${time}`,
  verbs: {
    promote: '推进',
    'promote-full': '全部推进',
    pause: '暂停',
    resume: '继续',
    abort: '撤回',
    retry: '重试',
  },
  ask: {
    promote: (name, to) => `现在让 ${name} 的版本 ${to} 进入下一阶段？`,
    'promote-full': (name, to) => `让 ${name} 的版本 ${to} 跳过后续阶段全部接管？`,
    pause: (name, to) => `将 ${name} 版本 ${to} 的发布暂停在当前阶段？`,
    resume: (name, to) => `继续 ${name} 版本 ${to} 的发布？`,
    abort: (name, to) => `撤回 ${name} 的版本 ${to}？`,
    retry: (name, to) => `重新开始 ${name} 版本 ${to} 的发布？`,
  },
};
