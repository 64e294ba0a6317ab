import { SwitchboardError } from '../../model/errors.ts';
import type { Endpoint } from '../endpoint.ts';

export const metrics: readonly Endpoint[] = [
  {
    method: 'get',
    path: '/metrics',
    summary: "Metrics in Prometheus's text format",
    answer: {
      status: 200,
      type: 'text/plain',
      about: 'Needs the API token or `metrics.token`, unless `metrics.public` is set.',
    },
    // It decides by itself: a scraper's token is good for nothing else.
    open: true,
    async handle({ api, hono }) {
      const bearer = /^Bearer +(\S+)$/i.exec(hono.req.header('authorization') ?? '')?.[1];
      if (!api.metrics.mayScrape(bearer))
        throw new SwitchboardError('unauthenticated', 'metrics need a token', {
          remedy:
            'Send `Authorization: Bearer TOKEN` with metrics.token of the settings, or the API token; or set metrics.public.',
        });
      return hono.body(await api.metrics.scrape(), 200, { 'content-type': api.metrics.contentType });
    },
  },
];
