import { z } from 'zod';
import { writeOptions, type Endpoint } from '../endpoint.ts';

export const certificates: readonly Endpoint[] = [
  {
    method: 'get',
    path: '/v1/certificates',
    summary: 'Certificates of the wire between Envoy and the control plane',
    answer: {
      status: 200,
      about: 'Of the control plane and of each gateway: until when each is valid. Keys are never shown.',
    },
    handle: async (call) => ({ items: call.api.certificates.list() }),
  },
  {
    method: 'post',
    path: '/v1/certificates/rotate',
    summary: 'New certificates, for all or for one gateway',
    body: { schema: z.strictObject({ gateway: z.string().max(128).optional() }), example: { gateway: 'gateway-1' } },
    answer: {
      status: 200,
      about: 'The certificates as they are now. Open streams and sessions go on; new connections use them.',
    },
    async handle(call) {
      const { gateway } = call.body as { gateway?: string };
      await call.api.certificates.rotate(gateway, writeOptions(call));
      return { items: call.api.certificates.list() };
    },
  },
];
