/** The control plane's sentences in Chinese. */
import type { InstanceView } from '../../../../control-plane/src/api/types.ts';
import { endsAtDeadline } from '../../ui/status.ts';
import type { Clock, Sentences } from '../sentences.ts';

function ended({ lastExit }: InstanceView): string {
  if (lastExit === undefined) return '已结束';
  if (lastExit.signal !== null) return `被 ${lastExit.signal} 终止`;
  return lastExit.code === null ? '在控制面离线期间结束' : `以退出码 ${lastExit.code} 结束`;
}

/** What follows a failure. */
function then({ state, retryAt, failures }: InstanceView, clock: Clock): string {
  if (state === 'failed') return `；连续失败 ${failures.length} 次后已放弃，启动服务可再次尝试`;
  return state === 'backoff' && retryAt !== undefined ? `；将于 ${clock(retryAt)} 重试` : '';
}

const failed =
  (text: string) =>
  (one: InstanceView, clock: Clock): string =>
    text + then(one, clock);

export const sentences: Sentences = {
  instance: {
    Created: ({ state }) => (state === 'pending' ? '等待启动' : '尚未检查'),
    Started: ({ process }) =>
      process === undefined ? '已启动，等待探测通过' : `已作为进程 ${process.pid} 启动，等待探测通过`,
    ListensElsewhere: () => '程序监听的不是分配给它的地址',
    ProbeFailed: () => '没有应答',
    ProbePassed: () => '探测已通过',
    Retry: () => '正在重新启动',
    Resumed: () => '重新投入使用',
    Adopted: ({ process }) => `控制面启动时已在运行${process === undefined ? '' : `（进程 ${process.pid}）`}`,
    WaitsForDependency: () => '等待所依赖的服务',
    NameNotResolved: () => '域名没有可用的地址',
    Registered: () => '已注册，尚未检查',
    Drained: ({ drain }) =>
      drain?.then === 'keep' ? '已没有打开的会话，可以维护；结束排空即可恢复' : '已没有打开的会话',
    DrainDeadline: () => '已到排空期限',
    Exited: (one, clock) => ended(one) + then(one, clock),
    CrashLoop: (one, clock) => (one.lastExit?.at === one.since ? ended(one) : '反复失败') + then(one, clock),
    Missing: () => '缺少启动所需的内容，备齐后自动启动',
    OutOfMemory: failed('内存耗尽'),
    ProcessLimit: failed('进程数超过上限'),
    Removed: failed('容器已被他人删除'),
    BadLaunch: failed('启动设置有误'),
    StartFailed: failed('无法启动'),
    StartTimeout: failed('未在规定时间内就绪'),
    Unavailable: failed('暂时无法启动'),
    Unhealthy: failed('长时间不健康，已被结束'),
  },
  unhealthy: '探测未通过',
  drains: ({ drain }, why, clock) =>
    `不再接受新会话；打开的会话可${drain !== undefined && endsAtDeadline(drain) ? `继续到 ${clock(drain.deadline)}` : '一直继续'}（${why}）`,
  leaving: {
    AddressRemoved: '地址已从配置中移除',
    LeaseLost: '未再收到心跳',
    MaxAge: '已达最长运行时间',
    MemoryLimit: '超过内存上限',
    NameChanged: '域名已不再指向此地址',
    NewVersion: '由新版本替换',
    Requested: '应要求停止',
    Maintenance: '维护',
    Restarted: '重启',
    ScaledDown: '缩减实例数',
    ServiceDeleted: '服务已删除',
    Started: '服务已重新启动',
    Stopped: '服务已停止',
    Deregistered: '已自行注销',
  },
  service: {
    ready: ({ status: { ready, wanted } }) =>
      ready > wanted ? `${ready} 个实例就绪，期望 ${wanted} 个` : `${wanted} 个实例中 ${ready} 个就绪`,
    degraded: ({ status: { ready, wanted } }) => `${wanted} 个实例中仅 ${ready} 个就绪`,
    starting: ({ status: { wanted } }) => `${wanted} 个实例正在启动`,
    stopped: ({ spec }) =>
      !spec.enabled ? '已停止' : spec.runtime === 'external' ? '没有已注册的实例' : '期望实例数为 0',
    failed: ({ status: { wanted } }) => `没有就绪的实例，期望 ${wanted} 个`,
    draining: ({ instances }) => `正在停止：${instances.length} 个实例等待其会话结束`,
  },
  rollout: {
    Started: ({ to }) => `版本 ${to} 的实例正在启动`,
    Weight: ({ weight, to }) => `${weight} % 的新会话分配给版本 ${to}`,
    NextStage: ({ stage, stages, to }) =>
      stage >= stages.length ? `版本 ${to} 即将全部接管` : `开始第 ${stage + 1} 阶段，共 ${stages.length} 阶段`,
    AwaitsPromotion: ({ to, weight }) => `版本 ${to} 占 ${weight} %，等待手动推进`,
    Completed: ({ to }) => `版本 ${to} 已接管全部新会话`,
    Paused: () => '已被手动暂停',
    Resumed: () => '已继续',
    Retried: () => '重新尝试',
    Aborted: ({ from }) => `已被撤回：新会话全部回到版本 ${from}`,
    Reverted: ({ from }) => `配置已改回版本 ${from}`,
    AnalysisFailed: ({ from, phase }) =>
      phase === 'aborted' ? `新版本更差：新会话全部回到版本 ${from}` : '新版本更差，等待处理',
    CrashLoop: ({ from, phase }) =>
      phase === 'aborted' ? `新版本的实例反复失败：新会话全部回到版本 ${from}` : '新版本的实例反复失败，等待处理',
    ProgressDeadline: ({ from, phase }) =>
      phase === 'aborted'
        ? `新版本的实例未能按时就绪：新会话全部回到版本 ${from}`
        : '新版本的实例未能按时就绪，等待处理',
    Inconclusive: () => '无法判断新版本是否正常，等待处理',
  },
  condition: {
    Behind: '落后于最新配置',
    CannotBeServed: '无法按此配置提供服务',
    DiffersFromRegistry: '与登记的配置不一致',
    Disabled: '已停用',
    NameNotResolved: '域名暂时无法解析，沿用上次的地址',
    NotServed: '未生效',
    OrderByName: '与其他路由的先后仅由名称决定',
    Reachable: '请求可以到达',
    Refused: '网关拒绝了部分配置',
    RefusedByGateway: '被网关拒绝，网关继续使用上一个可用配置',
    RuntimeUnreachable: '运行环境无法访问，暂时看不到实例',
    Served: 'Envoy 已生效',
    TakesStandardPath: '占用了服务的默认地址',
    Unreachable: '请求无法到达：总有其他路由先匹配',
  },
  event: {
    'certificates.issue': (name) => `已为异地网关 ${name} 签发证书`,
    'certificates.revoke': (name) => `已吊销 ${name} 的证书`,
    'certificates.rotate': (name) => `已为 ${name} 签发新证书`,
    'gateway.drain': (name) => `网关 ${name} 开始排空`,
    'gateway.drift': (name) => `网关 ${name} 与登记的配置不一致`,
    'gateway.drift-over': (name) => `网关 ${name} 与登记的配置恢复一致`,
    'gateway.hang': (name) => `网关 ${name} 没有响应`,
    'gateway.lost': (name) => `网关 ${name} 的进程意外结束，正在重新启动`,
    'gateway.move': (name) => `网关 ${name} 改在新地址接受连接，已打开的会话继续`,
    'gateway.outdated': (name) => `网关 ${name} 暂时得不到新配置`,
    'gateway.restart': (name) => `网关 ${name} 已由新进程接替`,
    'gateway.undrain': (name) => `网关 ${name} 的排空已结束`,
    'instance.backoff': (name) => `实例 ${name} 失败，稍后重试`,
    'instance.create': (name) => `已创建实例 ${name}`,
    'instance.deregister': (name) => `实例 ${name} 已自行注销`,
    'instance.drain': (name) => `要求实例 ${name} 排空`,
    'instance.draining': (name) => `实例 ${name} 开始排空`,
    'instance.failed': (name) => `实例 ${name} 失败，已放弃`,
    'instance.pending': (name) => `实例 ${name} 等待启动`,
    'instance.ready': (name) => `实例 ${name} 已就绪`,
    'instance.register': (name) => `实例 ${name} 已自行注册`,
    'instance.remove': (name) => `实例 ${name} 已移除`,
    'instance.starting': (name) => `实例 ${name} 正在启动`,
    'instance.stop': (name) => `要求实例 ${name} 停止`,
    'instance.stopped': (name) => `实例 ${name} 已停止`,
    'instance.stopping': (name) => `实例 ${name} 正在停止`,
    'instance.undrain': (name) => `实例 ${name} 的排空已取消`,
    'instance.unknown': (name) => `实例 ${name} 的状态未知`,
    'instance.update': (name) => `实例 ${name} 有新情况`,
    'rollout.abort': (name) => `${name} 的发布已撤回`,
    'rollout.complete': (name) => `${name} 的发布已完成`,
    'rollout.pause': (name) => `${name} 的发布已暂停`,
    'rollout.promote': (name) => `${name} 的发布被推进到下一阶段`,
    'rollout.promote-full': (name) => `${name} 的发布被推进到全部`,
    'rollout.resume': (name) => `${name} 的发布继续进行`,
    'rollout.retry': (name) => `${name} 的发布重新开始`,
    'rollout.start': (name) => `${name} 的发布已开始`,
    'rollout.step': (name) => `${name} 的发布进入下一步`,
    'route.create': (name) => `已创建路由 ${name}`,
    'route.delete': (name) => `已删除路由 ${name}`,
    'route.update': (name) => `已修改路由 ${name}`,
    'service.autoscale': (name) => `服务 ${name} 已自动调整实例数`,
    'service.create': (name) => `已创建服务 ${name}`,
    'service.deadly-request': (name) => `服务 ${name} 的多个实例因同一请求而结束`,
    'service.delete': (name) => `已删除服务 ${name}`,
    'service.drain': (name) => `要求服务 ${name} 排空`,
    'service.restart': (name) => `要求服务 ${name} 重启`,
    'service.undrain': (name) => `服务 ${name} 的排空已取消`,
    'service.update': (name) => `已修改服务 ${name}`,
    'session.end': (name) => `会话 ${name} 被手动结束`,
    'version.drain': (name) => `要求版本 ${name} 排空`,
    'version.pin': (name) => `版本 ${name} 将一直保留`,
    'version.undrain': (name) => `版本 ${name} 的排空已取消`,
    'version.unpin': (name) => `版本 ${name} 不再固定保留`,
  },
  end: {
    AgentBroke: '与智能体的连接中断',
    AgentClosed: '智能体关闭了连接',
    AgentOrClientClosed: '智能体关闭了连接：回应客户端的关闭、自行关闭，或其进程已结束',
    ClientClosed: '客户端关闭了连接',
    GatewayEnded: '由网关结束',
    GatewayLost: '承载它的网关已结束',
    Idle: '双方超过空闲时限未发送任何数据',
    LongestDuration: '已达最长时长',
    NotTold: '网关不再提及此会话，其结束记录已丢失',
    WhileAway: '在控制面离线期间结束',
    WireSilent: '智能体所在主机不再有任何应答，网关到它的连接超时',
  },
  placed: ({ heardLate, retries, route, service, policy, instance, upstream }) =>
    heardLate === true
      ? '控制面得知此会话时它已打开'
      : `${route === '' ? '' : `路由 ${route} 指向 `}${service}；${policy === null ? '' : `策略 ${policy} `}选择了 ${instance ?? upstream}${retries === undefined ? '' : `，此前 ${retries} 次尝试其他实例未成功`}`,
  problem: {
    invalid: '输入有误',
    not_found: '不存在',
    method_not_allowed: '此路径不支持该方法',
    conflict: '与现有内容冲突',
    precondition_failed: '其间已被他人修改',
    unauthenticated: '需要有效的令牌',
    forbidden: '不允许',
    too_large: '内容过大',
    rate_limited: '请求过于频繁',
    unavailable: '暂时不可用，请稍后重试',
    timeout: '超时',
    compacted: '历史记录已被清理，请重新读取',
    corrupt: '存储的数据已损坏或来自更新的版本',
    unsupported: '此处不支持',
    internal: '控制面内部错误',
  },
};
