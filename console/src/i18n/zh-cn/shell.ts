import type { Messages } from '../en/index.ts';

export const nouns: Messages['nouns'] = {
  overview: '总览',
  services: '服务',
  sessions: '会话',
  routes: '路由',
  gateways: '网关',
  topology: '拓扑',
  events: '事件',
  playground: '调试台',
  settings: '设置',
};

export const states: Messages['states'] = {
  ready: '就绪',
  degraded: '降级',
  starting: '启动中',
  stopped: '已停止',
  failed: '失败',
  draining: '排空中',
  pending: '等待中',
  stopping: '停止中',
  backoff: '等待重启',
  unknown: '未知',
  unhealthy: '不健康',
  healthy: '健康',
  running: '运行中',
  progressing: '进行中',
  paused: '已暂停',
  rolloutPaused: '发布已暂停',
  rolloutAborted: '发布已撤回',
  completed: '已完成',
  aborted: '已撤回',
  drift: '不一致',
  SYNCED: '已同步',
  STALE: '尚未确认',
  NOT_SENT: '未下发',
  ERROR: '被拒绝',
};

export const verbs: Messages['verbs'] = { start: '启动', stop: '停止', restart: '重启', delete: '删除' };

export const live: Messages['live'] = {
  connecting: '连接中',
  live: '实时',
  stale: '已过时',
  staleTitle: (at) => `控制面没有响应。当前显示的是 ${at} 的状态。`,
  staleText: '已打开的会话和新连接不受影响：Envoy 无需控制面即可提供服务。控制面恢复后，本页会自动继续。',
};

export const signIn: Messages['signIn'] = {
  label: '管理员令牌',
  help: '令牌在数据目录的这个文件中：',
  refused: '令牌不正确。请从文件中重新复制。',
  spent: '此链接已被使用或已过期。请使用令牌登录。',
  button: '登录',
};

export const shell: Messages['shell'] = {
  menu: '主菜单',
  openMenu: '打开菜单',
  skip: '跳到正文',
  loading: '加载中',
  failed: '操作未成功',
  unavailable: '控制面没有响应。请在其恢复后重试。',
  retry: '重试',
  dismiss: '关闭提示',
  copy: (what) => `复制${what}`,
  close: '关闭',
  copied: '已复制',
  light: '切换到浅色主题',
  dark: '切换到深色主题',
  revision: (revision) => `修订 ${revision}`,
  notFound: '页面不存在',
  notFoundText: '此地址没有页面。请前往',
  pageLater: '控制面恢复响应后，此页面会自动打开。',
  chart: (now, most) => `当前 ${now}，所示时段内最多 ${most}`,
};

export const ask: Messages['ask'] = {
  title: (verb, what) => `${verb} ${what}？`,
  description: '对打开的会话的影响',
  ends: (sessions) => `${sessions} 个打开的会话将立即结束。`,
  drains: (sessions) => `${sessions} 个打开的会话可以继续到排空期限；不再接受新会话。`,
  waits: {
    promotion: (sessions) => `${sessions} 个打开的会话可以继续，直到有人推进或恢复发布，此后到排空期限为止。`,
    autoscaler: (sessions) => `${sessions} 个打开的会话可以继续，除非自动伸缩移除其实例。`,
    check: (sessions) => `${sessions} 个打开的会话可以继续，除非其实例未通过新的检查。`,
  },
  none: '不影响任何打开的会话。',
  instances: (all) => `涉及 ${all} 个实例`,
  now: '立即执行：不等待打开的会话，现在就结束它们。',
  cancel: '取消',
  working: '执行中…',
  done: '完成',
};
