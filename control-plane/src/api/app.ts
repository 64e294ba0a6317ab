/** The HTTP application: request id, host check, token, then the endpoint; every error goes through errors.ts. */
import { randomUUID } from 'node:crypto';
import { Hono, type Context } from 'hono';
import { z } from 'zod';
import { SwitchboardError, type Issue } from '../model/errors.ts';
import { issuesOf, parseAs } from '../model/parse.ts';
import { BEARER } from './bearer.ts';
import { readDocuments, readJson } from './body.ts';
import type { ApiContext } from './context.ts';
import type { Endpoint } from './endpoint.ts';
import { answerError } from './errors.ts';
import { createLiveFeed, liveState } from './live-feed.ts';
import { hostName, isLoopback } from './loopback.ts';
import { openApi } from './openapi.ts';
import { apply } from './routes/apply.ts';
import { autoscale } from './routes/autoscale.ts';
import { certificates } from './routes/certificates.ts';
import { balance } from './routes/balance.ts';
import { drains } from './routes/drains.ts';
import { events } from './routes/events.ts';
import { explain } from './routes/explain.ts';
import { gateways } from './routes/gateways.ts';
import { instances } from './routes/instances.ts';
import { metrics } from './routes/metrics.ts';
import { rollouts } from './routes/rollouts.ts';
import { routes } from './routes/routes.ts';
import { sessions } from './routes/sessions.ts';
import { services } from './routes/services.ts';
import { system } from './routes/system.ts';
import { timeseries } from './routes/timeseries.ts';
import { DOCUMENT, PAGES, serveFiles } from './static.ts';

export const ENDPOINTS: readonly Endpoint[] = [
  ...system,
  ...metrics,
  ...services,
  ...rollouts,
  ...autoscale,
  ...instances,
  ...routes,
  ...apply,
  ...explain,
  ...gateways,
  ...certificates,
  ...sessions,
  ...drains,
  ...balance,
  ...events,
  ...timeseries,
];

export interface AppOptions {
  readonly api: ApiContext;
  readonly version: string;
  /** The address it listens at; on loopback only local names are answered, so that a web page can't reach it by a name of its own. */
  readonly host: string;
  readonly closing: AbortSignal;
}

function authenticate(api: ApiContext, context: Context): string {
  const match = BEARER.exec(context.req.header('authorization') ?? '');
  const who = match?.[1] === undefined ? undefined : api.authenticate(match[1]);
  if (who !== undefined) return who.actor;
  throw new SwitchboardError('unauthenticated', match === null ? 'this needs a token' : 'the token is not known', {
    remedy: 'Send `Authorization: Bearer TOKEN` with the token in the file admin.token of the data folder.',
  });
}

const NoQuery = z.strictObject({});

function queryOf(endpoint: Endpoint, context: Context): Record<string, unknown> {
  const given = Object.entries(context.req.queries());
  const twice = given.filter(([name, values]) => values.length > 1 && endpoint.repeated?.includes(name) !== true);
  const result = (endpoint.query ?? NoQuery).safeParse(
    Object.fromEntries(given.map(([name, values]) => [name, values[0]])),
  );
  if (result.success && twice.length === 0) return result.data;
  const issues: Issue[] = [
    ...twice.map(([name]) => ({ path: `query.${name}`, message: 'is given more than once' })),
    ...(result.error === undefined ? [] : issuesOf(result.error, 'query')),
  ];
  throw new SwitchboardError('invalid', issues.map(({ path, message }) => `${path}: ${message}`).join('; '), {
    issues,
  });
}

async function bodyOf(endpoint: Endpoint, context: Context): Promise<unknown> {
  if (endpoint.body === undefined) return undefined;
  const raw = endpoint.body.yaml === true ? await readDocuments(context) : await readJson(context);
  return parseAs(endpoint.body.schema, raw, 'the body');
}

const PATTERNS = [...ENDPOINTS, ...PAGES.map((path) => ({ path, method: 'get' }))].map(({ path, method }) => ({
  pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
  methods: method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()],
}));

/** Of every endpoint with this path; none: there is no such path. */
function methodsOf(path: string): string[] {
  return [...new Set(PATTERNS.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods))];
}

function nothingAt({ req }: Context, methods: readonly string[] = []): SwitchboardError {
  return methods.length === 0
    ? new SwitchboardError('not_found', `there is nothing at ${req.method} ${req.path}`, { remedy: 'See /docs.' })
    : new SwitchboardError('method_not_allowed', `${req.path} has no ${req.method}, but ${methods.join(', ')}`, {
        remedy: 'See /docs.',
      });
}

export function createApp({ api, version, host, closing }: AppOptions): Hono {
  const app = new Hono();
  const live = createLiveFeed({
    state: () => liveState(api),
    subscribe: (listener) => api.subscribe(listener),
    now: api.now,
  });
  app.use(async (context, next) => {
    const given = context.req.header('x-request-id');
    context.header('x-request-id', given !== undefined && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID());
    context.header('x-content-type-options', 'nosniff');
    context.header('referrer-policy', 'no-referrer');
    context.header('cross-origin-resource-policy', 'same-origin');
    if (isLoopback(host) && !isLoopback(hostName(context.req.header('host') ?? '')))
      throw new SwitchboardError('forbidden', 'this address answers only to local names');
    await next();
  });
  const routeOf = new WeakMap<Request, string>();
  app.use(async (context, next) => {
    const start = performance.now();
    await next();
    // Errors have become answers by now. What is no endpoint has no route: any path may be asked for.
    const route = routeOf.get(context.req.raw) ?? 'other';
    api.metrics.request({
      method: context.req.method,
      route,
      status: context.res.status,
      ms: performance.now() - start,
    });
  });
  for (const endpoint of ENDPOINTS) {
    app.on(endpoint.method.toUpperCase(), endpoint.path.replaceAll(/\{(\w+)\}/g, ':$1'), async (context) => {
      routeOf.set(context.req.raw, endpoint.path);
      const actor = endpoint.open === true ? 'anonymous' : authenticate(api, context);
      const query = queryOf(endpoint, context);
      const body = await bodyOf(endpoint, context);
      const requestId = context.res.headers.get('x-request-id') ?? '';
      const param = (name: string): string => context.req.param(name) ?? '';
      const signal = AbortSignal.any([closing, context.req.raw.signal]);
      const answer = await endpoint.handle({
        api,
        hono: context,
        param,
        query,
        body,
        actor,
        requestId,
        closing: signal,
        live,
      });
      return answer instanceof Response ? answer : context.json(answer);
    });
  }
  let document: object | undefined;
  // Made when somebody asks: it would take a tenth of the start.
  app.get(DOCUMENT, (context) => context.json((document ??= openApi(ENDPOINTS, version))));
  serveFiles(app, api.consoleFolder);
  app.notFound((context) => {
    const methods = methodsOf(context.req.path);
    if (methods.length === 0) return answerError(nothingAt(context), context, api.log);
    context.header('allow', [...methods, 'OPTIONS'].join(', '));
    // What a path understands is no secret: the documents tell it.
    if (context.req.method === 'OPTIONS') return context.body(null, 204);
    return answerError(nothingAt(context, methods), context, api.log);
  });
  app.onError((error, context) => answerError(error, context, api.log));
  return app;
}
