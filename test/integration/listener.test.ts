/**
 * The listener is frozen: what is to come must fit into what stands in it. Every slot is filled over xDS while a session lives, a chain for TLS
 * comes beside the plain one, and what Envoy answers itself is what the route says.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKeeper } from '../../control-plane/src/certificates/keeper.ts';
import { createLog } from '../../control-plane/src/log.ts';
import { ANSWER_HEADER, FILTER_CONFIG, FILTER_TYPES, SLOT } from '../../control-plane/src/translate/filters.ts';
import { PRINCIPAL } from '../../control-plane/src/translate/listener.ts';
import { startEnvoyAlone, type EnvoyAlone, type HandMade } from '../support/envoy-alone.ts';
import { openSession, type OpenSession } from '../support/sessions.ts';
import { greeted, upgrade } from '../support/upgrade.ts';

type Json = Record<string, unknown>;

const struct = (type_url: string, value: Json = {}): Json => ({
  '@type': 'type.googleapis.com/xds.type.v3.TypedStruct',
  type_url,
  value,
});
const append = (key: string, value: string): Json => ({
  append: { header: { key, value }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' },
});
const http = (name: string): string => `type.googleapis.com/envoy.extensions.filters.http.${name}`;

const adds = (name: string): Json => ({
  name,
  typed_config: {
    '@type': FILTER_TYPES.headerMutation,
    mutations: { request_mutations: [append(`x-${name}`, 'filled')] },
  },
});
const denies = (header: string): Json => ({
  '@type': FILTER_TYPES.rbac,
  rules: {
    action: 'DENY',
    policies: { p: { permissions: [{ any: true }], principals: [{ header: { name: header, present_match: true } }] } },
  },
});

/** A chain on the route: it adds a header, and lets nobody in who has another. */
const chainOnRoute = (slot: string): HandMade => ({
  route: {
    typed_per_filter_config: {
      [slot]: struct(http('filter_chain.v3.FilterChainConfigPerRoute'), {
        filter_chain: { filters: [adds(slot), { name: 'who', typed_config: denies('x-refuse') }] },
      }),
    },
  },
});

/** One script for all routes, to which a route tells what is its own. */
const scriptInSlot = (slot: string): HandMade => ({
  ecds: {
    [slot]: {
      '@type': FILTER_TYPES.lua,
      default_source_code: {
        inline_string: `function envoy_on_request(h)
          h:headers():add("x-${slot}", h:filterContext():get("word"))
          if h:headers():get("x-refuse") then h:respond({[":status"] = "403"}, "no") end
        end`,
      },
    },
  },
  route: {
    typed_per_filter_config: {
      [slot]: {
        '@type': FILTER_CONFIG,
        config: { '@type': `${FILTER_TYPES.lua}PerRoute`, filter_context: { word: 'filled' } },
      },
    },
  },
});

let envoy: EnvoyAlone;
let before: OpenSession;
beforeAll(async () => {
  envoy = await startEnvoyAlone();
  before = await openSession(`ws://127.0.0.1:${envoy.port}/`);
});
afterAll(async () => {
  before.socket.terminate();
  await envoy[Symbol.asyncDispose]();
});

async function get(
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: string; type: string }> {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port: envoy.port, path, headers, agent: false }, (response) => {
      text(response).then((body) => {
        resolve({ status: response.statusCode ?? 0, body, type: response.headers['content-type'] ?? '' });
      }, reject);
    });
    call.on('error', reject).end();
  });
}

const last = (id: string | undefined, type: string): Json | undefined =>
  envoy.records().findLast(({ common_properties: one }) => {
    const { stream_id, access_log_type } = one as Json;
    return stream_id === id && String(access_log_type) === type;
  });

describe('slots', () => {
  it.each([SLOT.edge, SLOT.identity, SLOT.limits, SLOT.leash])(
    'a route puts a chain of filters into %s',
    async (slot) => {
      expect(greeted(await upgrade(envoy.port, '/')).headers).not.toHaveProperty(`x-${slot}`);
      await envoy.publish(chainOnRoute(slot));
      expect(greeted(await upgrade(envoy.port, '/')).headers).toHaveProperty(`x-${slot}`, 'filled');
      expect(await upgrade(envoy.port, '/', { 'x-refuse': '1' })).toMatchObject({ status: 403 });
      await envoy.publish({});
      expect(greeted(await upgrade(envoy.port, '/', { 'x-refuse': '1' })).headers).not.toHaveProperty(`x-${slot}`);
      expect(await before.ask(slot)).toBe(slot);
    },
  );

  it.each([SLOT.token, SLOT.lease, SLOT.extension, SLOT.frames, SLOT.affinity])(
    'a script comes into %s by ECDS, and a route enables it with a word of its own',
    async (slot) => {
      await envoy.publish(scriptInSlot(slot));
      expect(greeted(await upgrade(envoy.port, '/')).headers).toHaveProperty(`x-${slot}`, 'filled');
      expect(await upgrade(envoy.port, '/', { 'x-refuse': '1' })).toMatchObject({ status: 403 });
      // The script alone does nothing: the route has to enable it.
      const { ecds = {} } = scriptInSlot(slot);
      await envoy.publish({ ecds });
      expect(greeted(await upgrade(envoy.port, '/', { 'x-refuse': '1' })).headers).not.toHaveProperty(`x-${slot}`);
      await envoy.publish({});
      expect(await before.ask(slot)).toBe(slot);
    },
  );

  it('extension takes a chain of filters by ECDS as well', async () => {
    const filters = [adds('one'), adds('two')];
    await envoy.publish({
      ecds: { [SLOT.extension]: struct(FILTER_TYPES.chain, { default_filter_chain: { filters } }) },
      route: { typed_per_filter_config: { [SLOT.extension]: { '@type': FILTER_CONFIG, config: {} } } },
    });
    expect(greeted(await upgrade(envoy.port, '/')).headers).toMatchObject({ 'x-one': 'filled', 'x-two': 'filled' });
    expect(await before.ask('chain')).toBe('chain');
  });

  const refused = async (): Promise<void> => {
    expect(await upgrade(envoy.port, '/')).toMatchObject({ status: 101 });
    expect(await upgrade(envoy.port, '/', { 'x-refuse': '1' })).toMatchObject({ status: 403 });
  };
  const rbac = { '@type': http('rbac.v3.RBACPerRoute'), rbac: { rules: denies('x-refuse')['rules'] } };
  const perRoute: readonly { slot: string; config: Json; check: () => Promise<void>; ecds?: Json }[] = [
    {
      slot: SLOT.headers,
      config: {
        '@type': `${FILTER_TYPES.headerMutation}PerRoute`,
        mutations: { request_mutations: [append('x-headers', 'filled')] },
      },
      check: async () => {
        expect(greeted(await upgrade(envoy.port, '/')).headers).toHaveProperty('x-headers', 'filled');
      },
    },
    { slot: SLOT.clientIp, config: rbac, check: refused },
    { slot: SLOT.origin, config: rbac, check: refused },
    {
      slot: SLOT.cors,
      config: { '@type': http('cors.v3.CorsPolicy'), allow_origin_string_match: [{ exact: 'https://a.example' }] },
      check: async () => {
        const { headers } = await upgrade(envoy.port, '/', { origin: 'https://a.example' });
        expect(headers).toHaveProperty('access-control-allow-origin', 'https://a.example');
      },
    },
    {
      slot: SLOT.apiKey,
      config: struct(http('api_key_auth.v3.ApiKeyAuthPerRoute'), {
        credentials: [{ key: 'sesame', client: 'ali' }],
        key_sources: [{ header: 'x-key' }],
      }),
      check: async () => {
        expect(await upgrade(envoy.port, '/')).toMatchObject({ status: 401 });
        expect(await upgrade(envoy.port, '/', { 'x-key': 'sesame' })).toMatchObject({ status: 101 });
      },
    },
    {
      slot: SLOT.jwt,
      config: { '@type': http('jwt_authn.v3.PerRouteConfig'), requirement_name: 'any' },
      check: async () => {
        expect(await upgrade(envoy.port, '/')).toMatchObject({ status: 401 });
      },
      ecds: {
        '@type': FILTER_TYPES.jwt,
        providers: { p: { issuer: 'i', local_jwks: { inline_string: '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}' } } },
        requirement_map: { any: { provider_name: 'p' } },
      },
    },
    {
      slot: SLOT.rateLimit,
      config: { '@type': FILTER_CONFIG, config: {} },
      check: async () => {
        expect(await upgrade(envoy.port, '/')).toMatchObject({ status: 101 });
        expect(await upgrade(envoy.port, '/')).toMatchObject({ status: 429 });
      },
      ecds: {
        '@type': FILTER_TYPES.rateLimit,
        stat_prefix: 'sessions',
        token_bucket: { max_tokens: 1, tokens_per_fill: 1, fill_interval: '3600s' },
        filter_enabled: { default_value: { numerator: 100 } },
        filter_enforced: { default_value: { numerator: 100 } },
      },
    },
  ];
  it.each(perRoute)('$slot is what a route says', async ({ slot, config, check, ecds }) => {
    await envoy.publish({
      route: { typed_per_filter_config: { [slot]: config } },
      ...(ecds === undefined ? {} : { ecds: { [slot]: ecds } }),
    });
    await check();
    expect(await before.ask(slot)).toBe(slot);
  });

  it('a chain can answer for Envoy, in words and a form of its own, whichever filter refuses', async () => {
    const answers = {
      name: 'own-words',
      typed_config: struct(http('custom_response.v3.CustomResponse'), {
        custom_response_matcher: {
          on_no_match: {
            action: {
              name: 'words',
              typed_config: {
                '@type':
                  'type.googleapis.com/envoy.extensions.http.custom_response.local_response_policy.v3.LocalResponsePolicy',
                body: { inline_string: '<p>in our own words</p>' },
                status_code: 418,
              },
            },
          },
        },
      }),
    };
    const asIs = {
      name: 'as-is',
      typed_config: {
        '@type': FILTER_TYPES.headerMutation,
        mutations: { request_mutations: [append(ANSWER_HEADER, 'as-is')] },
      },
    };
    await envoy.publish({
      route: {
        typed_per_filter_config: {
          [SLOT.edge]: struct(http('filter_chain.v3.FilterChainConfigPerRoute'), {
            filter_chain: { filters: [asIs, answers] },
          }),
          [SLOT.leash]: struct(http('filter_chain.v3.FilterChainConfigPerRoute'), {
            filter_chain: { filters: [{ name: 'who', typed_config: denies('x-refuse') }] },
          }),
        },
      },
    });
    const words = { status: 418, body: '<p>in our own words</p>' };
    expect(await upgrade(envoy.port, '/', { 'x-refuse': '1' })).toMatchObject(words);
    expect(await before.ask('custom')).toBe('custom');
  });

  it('frames: a script that comes by ECDS counts the frames of a session both ways, and its record tells them', async () => {
    // Frame headers alone are read: what is left of a payload, the parts of a header that came so far, how many there were.
    const script = `
      local function count(h, side)
        local left, head, frames = 0, "", 0
        for chunk in h:bodyChunks() do
          local bytes = head .. chunk:getBytes(0, chunk:length())
          local at = 1 + left
          while at <= #bytes do
            local second = bytes:byte(at + 1)
            if second == nil then break end
            local masked, size = second >= 128, second % 128
            local long = size == 126 and 2 or size == 127 and 8 or 0
            if #bytes < at + 1 + long then break end
            if long > 0 then
              size = 0
              for n = 2, 1 + long do size = size * 256 + bytes:byte(at + n) end
            end
            frames = frames + 1
            at = at + 2 + long + (masked and 4 or 0) + size
          end
          left = math.max(0, at - 1 - #bytes)
          head = at <= #bytes and bytes:sub(at) or ""
          h:streamInfo():dynamicMetadata():set("ws", side .. h:filterContext():get("suffix"), frames)
        end
      end
      function envoy_on_request(h) count(h, "in") end
      function envoy_on_response(h) count(h, "out") end`;
    await envoy.publish({
      ecds: { [SLOT.frames]: { '@type': FILTER_TYPES.lua, default_source_code: { inline_string: script } } },
      route: {
        typed_per_filter_config: {
          [SLOT.frames]: {
            '@type': FILTER_CONFIG,
            config: { '@type': `${FILTER_TYPES.lua}PerRoute`, filter_context: { suffix: '_frames' } },
          },
        },
      },
    });
    const session = await openSession(`ws://127.0.0.1:${envoy.port}/`);
    const large = 'x'.repeat(200_000);
    for (const message of ['a', 'b'.repeat(300), large]) expect(await session.ask(message)).toBe(message);
    await session.close();
    const id = session.greeting.headers['x-request-id'];
    await expect
      .poll(() => last(id, 'DownstreamEnd'), { timeout: 10_000 })
      .toMatchObject({
        // The greeting, three echoes, a close; three messages, a close.
        common_properties: { metadata: { filter_metadata: { ws: { in_frames: 4, out_frames: 5 } } } },
      });
    expect(await before.ask('frames')).toBe('frames');
  });

  it('who a client is, as a filter has found it, stands in every record of its session', async () => {
    const sets = {
      name: 'principal',
      typed_config: struct(http('set_filter_state.v3.Config'), {
        on_request_headers: [
          {
            object_key: PRINCIPAL,
            factory_key: 'envoy.string',
            format_string: { text_format_source: { inline_string: 'key:%REQ(x-who)%' } },
          },
        ],
      }),
    };
    await envoy.publish({
      route: {
        typed_per_filter_config: {
          [SLOT.identity]: struct(http('filter_chain.v3.FilterChainConfigPerRoute'), {
            filter_chain: { filters: [sets] },
          }),
        },
      },
    });
    const answer = await upgrade(envoy.port, '/', { 'x-who': 'ann' });
    const id = greeted(answer).headers['x-request-id'];
    for (const type of ['DownstreamTunnelSuccessfullyEstablished', 'DownstreamEnd'])
      await expect
        .poll(() => JSON.stringify(last(id, type)?.['common_properties']), { timeout: 10_000 })
        .toContain(`"${PRINCIPAL}"`);
  });
});

describe('answers of Envoy itself', () => {
  it('what a route answers is as it says: a page, a redirect; a refusal is JSON', async () => {
    const direct = (path: string, status: number, body: string, more: Json = {}): Json => ({
      name: `at${path}`,
      match: { path },
      direct_response: { status, body: { inline_string: body } },
      ...more,
    });
    await envoy.publish({
      routes: [
        direct('/challenge', 200, 'token.thumbprint'),
        direct('/page', 203, '<p>moved</p>', {
          response_headers_to_add: [
            { header: { key: 'content-type', value: 'text/html' }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' },
          ],
        }),
        direct('/teapot', 418, 'no coffee'),
        { match: { path: '/old' }, redirect: { path_redirect: '/new' } },
      ],
    });
    expect(await get('/challenge')).toEqual({ status: 200, body: 'token.thumbprint', type: 'text/plain' });
    expect(await get('/page')).toEqual({ status: 203, body: '<p>moved</p>', type: 'text/html' });
    expect(await get('/old')).toEqual({ status: 301, body: '', type: '' });
    const teapot = await get('/teapot');
    expect(teapot).toMatchObject({ status: 418, type: 'application/json' });
    expect(JSON.parse(teapot.body)).toMatchObject({ status: 418, message: 'no coffee', path: '/teapot' });
  });
});

describe('the listener itself', () => {
  it('a chain for TLS comes, changes and goes beside the plain one, whose sessions live on; a changed plain one would end them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sb-listener-'));
    const keeper = await createKeeper({
      data: folder,
      lifeMs: 86_400_000,
      gateways: ['alone'],
      now: () => Date.now(),
      log: createLog('silent'),
    });
    const { key, certificate } = keeper.controlPlane();
    keeper.close();
    rmSync(folder, { recursive: true, force: true });
    const withTls =
      (least: string) =>
      (usual: Json): Json => {
        const chains = usual['filter_chains'] as Json[];
        return {
          ...usual,
          filter_chains: [
            ...chains,
            {
              ...chains[0],
              name: 'tls',
              filter_chain_match: { transport_protocol: 'tls' },
              transport_socket: {
                name: 'tls',
                typed_config: struct(
                  'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
                  {
                    common_tls_context: {
                      tls_params: { tls_minimum_protocol_version: least },
                      tls_certificates: [
                        { certificate_chain: { inline_string: certificate }, private_key: { inline_string: key } },
                      ],
                    },
                  },
                ),
              },
            },
          ],
        };
      };
    const overTls = async (): Promise<string> =>
      new Promise((resolve) => {
        const socket = new WebSocket(`wss://127.0.0.1:${envoy.port}/`, { rejectUnauthorized: false });
        socket.once('open', () => {
          resolve('open');
          socket.terminate();
        });
        socket.once('error', (error) => {
          resolve(error.message);
        });
      });
    await envoy.publish({});
    expect(await overTls()).not.toBe('open');
    for (const least of ['TLSv1_2', 'TLSv1_3']) {
      await envoy.publish({ listener: withTls(least) });
      expect(await overTls()).toBe('open');
      // Longer than Envoy's drain time here.
      await sleep(2_000);
      expect(await before.ask(least)).toBe(least);
    }
    await envoy.publish({});
    await sleep(2_000);
    expect(await before.ask('gone')).toBe('gone');

    const victim = await openSession(`ws://127.0.0.1:${envoy.port}/`);
    await envoy.publish({
      listener: (usual) =>
        JSON.parse(JSON.stringify(usual).replace('"stat_prefix":"clients"', '"stat_prefix":"others"')) as Json,
    });
    expect(await Promise.race([victim.closed, sleep(20_000)])).toEqual({ code: 1006 });
  });
});
