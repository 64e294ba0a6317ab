/**
 * The API against its own document: requests made from the document by chance, some as it says and some not. No request may fail on our side, each answer
 * is one that the document knows, and what the document forbids is refused.
 */
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect, it } from 'vitest';
import { messageOf } from '../../control-plane/src/model/errors.ts';
import { openApi } from '../../control-plane/src/api/openapi.ts';
import { ENDPOINTS } from '../../control-plane/src/api/app.ts';
import type { Problem } from '../../control-plane/src/api/types.ts';
import { lookingFetch } from '../support/answers.ts';
import { documentFuzzer, type Operation } from '../support/document-fuzzer.ts';
import { seeded } from '../support/random.ts';
import { echoService, startWorld } from '../support/world.ts';

const SEED = Number(process.env['SWITCHBOARD_TEST_SEED'] ?? 20261130);
const CASES = Number(process.env['SWITCHBOARD_TEST_CASES'] ?? 400);

interface Document {
  readonly components: { readonly schemas: Record<string, object> };
  readonly paths: Record<string, Record<string, Operation>>;
}
const document = JSON.parse(JSON.stringify(openApi(ENDPOINTS, '0.1.0'))) as Document;

it('the document is OpenAPI 3.1, and its patterns are read alike by all', async () => {
  expect(await new Validator().validate(structuredClone(document) as never)).toMatchObject({ valid: true });
  const patterns = [...JSON.stringify(document).matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)].map(
    ([, text = '""']) => JSON.parse(text) as string,
  );
  for (const pattern of patterns) {
    expect(() => [new RegExp(pattern), new RegExp(pattern, 'u')], pattern).not.toThrow();
    // Classes of Unicode are not in the expressions of most languages.
    expect(pattern).not.toMatch(/\\p\{/i);
  }
});

/** The end of what answers, a new Envoy each time, and a stream without an end. */
const LEFT_OUT = new Set(['post /v1/gateways/{name}/restart', 'post /v1/shutdown', 'get /v1/live']);

it(`${CASES} requests by chance (seed ${SEED}) are answered as the document says`, async () => {
  await using world = await startWorld({
    name: 'fuzz',
    seed: [echoService('weather'), { kind: 'Service', name: 'elsewhere', spec: { runtime: 'external' } }],
  });
  const instance = (await world.client.instances({ service: 'weather' })).items[0]?.id ?? '';
  const ajv = new Ajv2020({ strict: false, allErrors: false, validateFormats: true });
  addFormats.default(ajv);
  ajv.addSchema({ $id: 'api', components: document.components });
  const random = seeded(SEED);
  const fuzzer = documentFuzzer(document.components.schemas, random, [
    'weather',
    'elsewhere',
    'gateway-1',
    instance,
    '1',
  ]);
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([method]) => !LEFT_OUT.has(`${method} ${path}`))
      .map(([method, operation]) => ({ path, method, operation })),
  );
  const faults: string[] = [];
  for (let n = 0; n < CASES; n += 1) {
    const { path, method, operation } = operations[n % operations.length] ?? expect.unreachable();
    const { url, body, type } = fuzzer.request(path, operation);
    const told = async (): Promise<string | undefined> => {
      const response = await lookingFetch(world.client.url + url, {
        method: method.toUpperCase(),
        headers: { authorization: `Bearer ${world.token}`, ...(type === undefined ? {} : { 'content-type': type }) },
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.timeout(20_000),
      });
      const text = await response.text();
      const { status } = response;
      if (status >= 500 && ![503, 504].includes(status)) return `${status} ${text}`;
      const schema = operation.requestBody?.content['application/json']?.schema;
      if (body === undefined || schema === undefined || type !== 'application/json') return undefined;
      const isSaid = ajv.compile(absolute(schema));
      const isSound = isJson(body) && isSaid(JSON.parse(body));
      if (response.ok && !isSound) return `it was taken, though ${ajv.errorsText(isSaid.errors)}`;
      // Rules beyond its schemas stand in its words.
      const issues = status === 400 && isSound ? ((JSON.parse(text) as Problem).issues ?? []) : [];
      // A name may come from the address alone.
      const unsaid = issues.filter(({ path, message }) => !/^query\.|^name$/.test(path) && !isToldInWords(message));
      if (unsaid.length > 0) return `the document does not say why ${text}`;
      return undefined;
    };
    const fault = await told().catch((error: unknown) => messageOf(error));
    if (fault !== undefined) faults.push(`${method} ${url} ${body ?? ''}`.slice(0, 600) + `: ${fault.slice(0, 600)}`);
  }
  expect(faults).toEqual([]);
}, 120_000);

const words = JSON.stringify(document);
/** But for what depends on other fields, on what is there, on plugins (whose options `GET /v1/plugins` tells), and on the text itself. */
const OF_STATE = new RegExp(
  [
    'is required for runtime|only an external service|an external service can not|an external service is not',
    'there is no |stands twice|depends on itself|can not stand|options? |unknown field$',
    '^must be (Service or Route|at most 9007199254740991)|as in the path',
    'regular expression|CronPattern|is empty$|needs exactly one of',
  ].join('|'),
);
const isToldInWords = (message: string): boolean =>
  OF_STATE.test(message) || words.includes(JSON.stringify(message.replace(/^its name /, '')).slice(1, -1));

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** References of the document, as a schema of its own has them. */
function absolute(schema: object): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"api#/components/')) as object;
}
