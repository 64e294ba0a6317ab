/** Apply: create or update Services and Routes from documents, all or nothing. */
import { isIP } from 'node:net';
import { addressText } from '../../model/address.ts';
import { needsServerName } from '../../model/agent-tls.ts';
import type { Issue } from '../../model/errors.ts';
import { SwitchboardError } from '../../model/errors.ts';
import { issuesOf } from '../../model/parse.ts';
import { RouteDocument, servicesOf, type Route } from '../../model/route.ts';
import { routeWarnings } from '../../model/route-overlap.ts';
import { targetInWords } from '../../model/route-words.ts';
import { ServiceDocument, type Service } from '../../model/service.ts';
import type { WriteAction } from '../../model/write.ts';
import { canonical, differences } from '../diff.ts';
import { shown } from '../redact.ts';
import { dependencyIssues } from '../dependencies.ts';
import { addEvent, checkExpected, newDraft, refuse, type CommandContext, type Draft } from '../draft.ts';
import { put, remove, routeKey, serviceKey, versionKey } from '../keys.ts';
import type { RegistryView } from '../registry.ts';
import { forgotten, makeVersion, versionThatRuns } from '../versions.ts';
import { beginRollout } from './rollouts.ts';
import { retryFailed } from './instances.ts';
import { setOf } from './sets.ts';

/** Checks what only the drivers know: options of runtimes, probes and policies. Paths start at the document. */
export type Validate = (service: ServiceDocument) => readonly Issue[];

type Document = ServiceDocument | RouteDocument;

const SECRET_NAME = /(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL)S?$/i;

/** Every issue of every document, with the document's index in the path where there are several. */
function parseDocuments(documents: readonly unknown[], validate: Validate): Document[] {
  const issues: Issue[] = [];
  const parsed: Document[] = [];
  const seen = new Map<string, number>();
  for (const [index, raw] of documents.entries()) {
    const prefix = documents.length === 1 ? '' : `documents.${index}`;
    const at = (path: string): string => (prefix === '' ? path : `${prefix}.${path}`);
    const kind: unknown = typeof raw === 'object' && raw !== null && 'kind' in raw ? raw.kind : undefined;
    if (kind !== 'Service' && kind !== 'Route') {
      issues.push({
        path: at('kind'),
        message: `must be Service or Route${kind === undefined ? ' (it is missing)' : `, not ${JSON.stringify(kind)}`}`,
      });
      continue;
    }
    const result = kind === 'Service' ? ServiceDocument.safeParse(raw) : RouteDocument.safeParse(raw);
    if (!result.success) {
      issues.push(...issuesOf(result.error, prefix));
      continue;
    }
    const id = `${kind}/${result.data.name}`;
    const earlier = seen.get(id);
    if (earlier !== undefined)
      issues.push({
        path: at('name'),
        message: `${kind} ${result.data.name} stands in document ${earlier + 1} already`,
      });
    seen.set(id, index);
    if (result.data.kind === 'Service') {
      issues.push(
        ...[...checkService(result.data), ...validate(result.data)].map((issue) => ({
          ...issue,
          path: at(issue.path),
        })),
      );
    }
    parsed.push(result.data);
  }
  if (issues.length > 0) refuse(documents.length === 1 ? 'the document' : 'the list of documents', issues);
  return parsed;
}

/** Whose certificate is to be checked must have a name. */
function tlsIssues({ gateway, runtime, addresses = [] }: ServiceDocument['spec']): Issue[] {
  const unnamed = addresses.find(({ host }) => isIP(host) !== 0);
  if (!needsServerName(gateway.tls) || (runtime === 'external' && unnamed === undefined)) return [];
  const whose = unnamed === undefined ? 'instances of this service have' : `${addressText(unnamed)} has`;
  const message = `is missing: ${whose} no DNS name, so say which name the certificate has`;
  return [{ path: 'spec.gateway.tls.serverName', message }];
}

function checkService(service: ServiceDocument): Issue[] {
  const { spec } = service;
  const issues: Issue[] = [];
  if (spec.runtime === 'external') {
    if (spec.launch !== undefined)
      issues.push({
        path: 'spec.launch',
        message: 'an external service is not launched here: remove it, or set spec.runtime to process',
      });
  } else {
    if (spec.launch === undefined)
      issues.push({
        path: 'spec.launch',
        message: `is required for runtime ${spec.runtime} (or set spec.runtime to external)`,
      });
    if (spec.addresses !== undefined)
      issues.push({ path: 'spec.addresses', message: 'only an external service has fixed addresses' });
  }
  issues.push(...tlsIssues(spec));
  const seen = new Set<string>();
  for (const [index, address] of (spec.addresses ?? []).entries()) {
    const text = addressText(address);
    if (seen.has(text)) issues.push({ path: `spec.addresses.${index}`, message: `${text} stands twice` });
    seen.add(text);
  }
  return issues;
}

export function apply(
  view: RegistryView,
  documents: readonly unknown[],
  context: CommandContext,
  validate: Validate,
): Draft {
  if (documents.length === 0) throw new SwitchboardError('invalid', 'there is no document to apply');
  const draft = newDraft();
  const parsed = parseDocuments(documents, validate);
  const services = new Set([
    ...view.services.keys(),
    ...parsed.filter((one) => one.kind === 'Service').map((one) => one.name),
  ]);
  refuseDependencies(view, parsed);
  for (const [index, document] of parsed.entries()) {
    if (document.kind === 'Service') applyService(view, document, context, draft);
    else {
      const at = `${parsed.length === 1 ? '' : `documents.${index}.`}spec.target`;
      const missing = servicesOf(document.spec.target).filter((name) => !services.has(name));
      if (missing.length > 0)
        refuse(
          'the document',
          missing.map((name) => ({
            path: `${at}.${'split' in document.spec.target ? 'split' : 'service'}`,
            message: `there is no service ${name}`,
          })),
        );
      applyRoute(view, document, context, draft);
    }
  }
  if (parsed.some((one) => one.kind === 'Route')) warnOfRoutes(view, parsed, services, draft);
  return draft;
}

function refuseDependencies(view: RegistryView, parsed: readonly Document[]): void {
  const wrong = dependencyIssues(
    view,
    parsed.filter((one) => one.kind === 'Service'),
  );
  const issues = parsed.flatMap((document, index) =>
    (document.kind === 'Service' ? (wrong.get(document.name) ?? []) : []).map((issue) => ({
      ...issue,
      path: `${parsed.length === 1 ? '' : `documents.${index}.`}${issue.path}`,
    })),
  );
  if (issues.length > 0) refuse(parsed.length === 1 ? 'the document' : 'the list of documents', issues);
}

/** What the write does to the order of routes: warnings that were not there before. */
function warnOfRoutes(
  view: RegistryView,
  parsed: readonly Document[],
  services: ReadonlySet<string>,
  draft: Draft,
): void {
  const before = [...view.routes.values()].map(({ value }) => value);
  const written = parsed.filter((one) => one.kind === 'Route');
  const names = new Set(written.map((one) => one.name));
  const after = [...before.filter(({ name }) => !names.has(name)), ...written];
  const known = new Set(routeWarnings(before, services).map(({ route, message }) => `${route} ${message}`));
  for (const { route, message } of routeWarnings(after, services))
    if (!known.has(`${route} ${message}`)) draft.warnings.push(`route ${route}: ${message}`);
}

export function applyService(
  view: RegistryView,
  document: ServiceDocument,
  context: CommandContext,
  draft: Draft,
  how: 'by-strategy' | 'direct' = 'by-strategy',
): void {
  const held = view.services.get(document.name);
  checkExpected(context, held?.revision ?? 0, `service ${document.name}`);
  const { kind, name, labels, spec } = document;
  const set = setOf(document, held?.value, context);
  const before = held === undefined ? {} : { labels: held.value.labels, spec: held.value.spec, set: held.value.set };
  const diff = differences(JSON.parse(JSON.stringify(before)), JSON.parse(JSON.stringify({ labels, spec, set })));
  const action: WriteAction = held === undefined ? 'created' : diff.length === 0 ? 'unchanged' : 'updated';
  draft.report.push({ kind: 'Service', name, action, diff });
  for (const [variable, value] of Object.entries(spec.launch?.env ?? {})) {
    if (typeof value === 'string' && value !== '' && SECRET_NAME.test(variable)) {
      draft.warnings.push(
        `service ${name}: spec.launch.env.${variable} looks like a secret in clear: use {fromEnv: NAME} or {fromFile: PATH}, which is never stored`,
      );
    }
  }
  if (action === 'unchanged') return;

  const now = new Date(context.now()).toISOString();
  // What ran before under a number runs under the same number again.
  const known = held === undefined ? undefined : versionThatRuns(view, held.value, spec);
  const version = known ?? makeVersion(view, document, context, now);
  if (known === undefined) {
    draft.changes.push(put(versionKey(name, version.number), version));
    draft.changes.push(...forgotten(view, name).map((old) => remove(versionKey(name, old.number))));
  } else if (canonical(known.probe) !== canonical(spec.probe))
    draft.changes.push(put(versionKey(name, known.number), { ...known, probe: spec.probe }));
  const changesVersion = version.number !== held?.value.version;
  const service: Service = {
    kind,
    name,
    labels,
    spec,
    version: version.number,
    ...(set === undefined ? {} : { set }),
    createdAt: held?.value.createdAt ?? now,
    updatedAt: now,
  };
  draft.expect.push({ key: serviceKey(name), revision: held?.revision ?? 0 });
  draft.changes.push(put(serviceKey(name), service));
  if (held !== undefined && changesVersion && spec.runtime !== 'external')
    beginRollout(view, held.value, service, context, draft, how === 'direct');
  if (held !== undefined && !held.value.spec.enabled && spec.enabled) retryFailed(view, name, context, draft);
  addEvent(draft, context, {
    action: `service.${action === 'created' ? 'create' : 'update'}`,
    subject: { kind: 'Service', name },
    message:
      held === undefined
        ? `service ${name} was created`
        : `service ${name} was changed: ${summary(diff.map((one) => one.path))}${changesVersion ? `; version ${version.number}` : ''}`,
    ...(held === undefined ? {} : { before: shown(diff, 'before') }),
    after: shown(diff, 'after'),
  });
}

function applyRoute(view: RegistryView, document: RouteDocument, context: CommandContext, draft: Draft): void {
  const held = view.routes.get(document.name);
  checkExpected(context, held?.revision ?? 0, `route ${document.name}`);
  const { kind, name, labels, spec } = document;
  const set = setOf(document, held?.value, context);
  const before = held === undefined ? {} : { labels: held.value.labels, spec: held.value.spec, set: held.value.set };
  const diff = differences(before, JSON.parse(JSON.stringify({ labels, spec, set })));
  const action: WriteAction = held === undefined ? 'created' : diff.length === 0 ? 'unchanged' : 'updated';
  draft.report.push({ kind: 'Route', name, action, diff });
  if (action === 'unchanged') return;
  const now = new Date(context.now()).toISOString();
  const route: Route = {
    kind,
    name,
    labels,
    spec,
    ...(set === undefined ? {} : { set }),
    createdAt: held?.value.createdAt ?? now,
    updatedAt: now,
  };
  draft.expect.push({ key: routeKey(name), revision: held?.revision ?? 0 });
  draft.changes.push(put(routeKey(name), route));
  addEvent(draft, context, {
    action: `route.${action === 'created' ? 'create' : 'update'}`,
    subject: { kind: 'Route', name },
    message:
      held === undefined
        ? `route ${name} to ${targetInWords(spec.target)} was created`
        : `route ${name} was changed: ${summary(diff.map((one) => one.path))}`,
    ...(held === undefined ? {} : { before: shown(diff, 'before') }),
    after: shown(diff, 'after'),
  });
}

function summary(paths: readonly string[]): string {
  return paths.length <= 3 ? paths.join(', ') : `${paths.slice(0, 3).join(', ')} and ${paths.length - 3} more`;
}
