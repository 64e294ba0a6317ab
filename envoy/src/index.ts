/** Stock Envoy as a program: found or installed, bootstrapped, supervised. */
export {
  CONTROL_PLANE_CLUSTER,
  STARTED_FOR,
  bootstrap,
  type Address,
  type BootstrapOptions,
  type TlsFiles,
} from './bootstrap.ts';
export { NoEnvoyError, findEnvoy, type FoundEnvoy } from './find.ts';
export { controlPlanesOf } from './left.ts';
export { createEnvoy } from './supervise.ts';
export type { EnvoyOptions, EnvoyStatus, EnvoySupervisor } from './supervisor.ts';
export { ENVOY_VERSION } from './version.ts';
