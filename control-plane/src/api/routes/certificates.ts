import { z } from 'zod';
import { CertificateStatus, GatewayCertificate, GatewayCertificateRequest } from '../../model/gateway.ts';
import { itemsOf } from '../answers/list.ts';
import { writeOptions, type Endpoint } from '../endpoint.ts';

const Certificates = itemsOf(CertificateStatus);

export const certificates: readonly Endpoint[] = [
  {
    method: 'get',
    path: '/v1/certificates',
    summary: 'Certificates of the wire between Envoy and the control plane',
    answer: {
      status: 200,
      schema: Certificates,
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
      schema: Certificates,
      about: 'The certificates as they are now. Open streams and sessions go on; new connections use them.',
    },
    async handle(call) {
      const { gateway } = call.body as { gateway?: string };
      await call.api.certificates.rotate(gateway, writeOptions(call));
      return { items: call.api.certificates.list() };
    },
  },
  {
    method: 'post',
    path: '/v1/certificates',
    summary: 'A certificate for a gateway elsewhere, with what else its Envoy is started with',
    body: {
      schema: GatewayCertificateRequest,
      example: {
        gateway: 'edge-2',
        publicKey: '-----BEGIN PUBLIC KEY-----...',
        folder: '/etc/switchboard-gateway',
        xds: { host: '10.0.0.5', port: 18000 },
      },
    },
    answer: {
      status: 201,
      schema: GatewayCertificate,
      about: 'The certificate, and texts of the other two files. Ask anew before it is over.',
    },
    async handle(call) {
      const made = await call.api.certificates.certify(call.body as GatewayCertificateRequest, writeOptions(call));
      return call.hono.json(made, 201);
    },
  },
  {
    method: 'delete',
    path: '/v1/certificates/{gateway}',
    summary: "Revoke a gateway's certificates",
    answer: {
      status: 200,
      schema: Certificates,
      about:
        'The certificates as they are now. Whoever holds one that was issued up to now is refused, and open streams end; sessions at that Envoy go on. One that is issued later is taken.',
    },
    async handle(call) {
      await call.api.certificates.revoke(call.param('gateway'), writeOptions(call));
      return { items: call.api.certificates.list() };
    },
  },
];
