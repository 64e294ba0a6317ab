import { z } from 'zod';
import { Condition } from '../../model/meta.ts';
import { Route } from '../../model/route.ts';

export const RouteView = Route.extend({
  revision: z.int().min(0),
  status: z.strictObject({ conditions: z.array(Condition).readonly() }),
}).meta({ id: 'RouteView' });
export type RouteView = Readonly<z.infer<typeof RouteView>>;
