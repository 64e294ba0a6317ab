/** Names and times that several parts must agree on. */
export { CONTROL_PLANE_CLUSTER } from '@switchboard/envoy';

export const NODE_ID = 'gateway-1';
/** How often Envoy tells of each open session. */
export const SESSION_REPORT_MS = 10_000;
