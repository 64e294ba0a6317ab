import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { InstanceView } from './answers/instance.ts';
import { RouteView } from './answers/route.ts';
import { ServiceView } from './answers/service.ts';
import { pickFields, wrongField } from './fields.ts';

describe('choice of fields', () => {
  const item = { name: 'a', status: { state: 'ready', deep: { x: 1, y: [2] } }, none: null };
  it.each([
    ['name', { name: 'a' }],
    ['status.state', { status: { state: 'ready' } }],
    ['status.deep.y,status.state,name', { name: 'a', status: { deep: { y: [2] }, state: 'ready' } }],
    ['none', { none: null }],
    ['nothing,name.x,toString', {}],
    ['__proto__.x', {}],
  ])('%s', (fields, expected) => {
    expect(pickFields(item, fields)).toEqual(expected);
    expect(item.status.deep).toEqual({ x: 1, y: [2] });
  });
});

describe('names of fields', () => {
  it.each([
    ['an item', ServiceView, 'status.state'],
    ['what may be null', InstanceView, 'health.verdict'],
    ['what may be missing', InstanceView, 'address.port'],
    ['free keys', ServiceView, 'labels.anything'],
    ['keys of a plugin', ServiceView, 'spec.launch.options.memory.swap'],
    ['one of several forms', RouteView, 'spec.target.split'],
    ['the other form', RouteView, 'spec.target.service'],
    ['a strategy', ServiceView, 'spec.rollout.steps'],
  ])('are known: of %s', (_, schema, path) => {
    expect(wrongField(schema, path)).toBeUndefined();
  });

  it.each([
    [ServiceView, 'nmae', 'there is no field nmae. Did you mean name?'],
    [ServiceView, 'status.stat', 'there is no field status.stat. Did you mean status.state?'],
    [InstanceView, 'health.nonsense', 'there is no field health.nonsense, only verdict, reason'],
    [ServiceView, 'name.first', 'name has no fields that could be chosen'],
    [ServiceView, 'status.conditions.type', 'status.conditions has no fields that could be chosen'],
    [ServiceView, 'toString', 'there is no field toString, only kind'],
    [ServiceView, '__proto__', 'there is no field __proto__, only kind'],
    [z.strictObject({ a: z.string() }), 'b', 'there is no field b, only a'],
  ])('are told apart from others', (schema, path, message) => {
    expect(wrongField(schema, path)).toContain(message);
  });
});
