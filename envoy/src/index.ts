/** Stock Envoy as a program: found or installed, bootstrapped, supervised. */
export { CONTROL_PLANE_CLUSTER, bootstrap, speaksInClear, type BootstrapOptions, type TlsFiles } from './bootstrap.ts';
export { NoEnvoyError, findEnvoy, type FoundEnvoy } from './find.ts';
export { createEnvoy } from './supervise.ts';
export type { EnvoyOptions, EnvoyStatus, EnvoySupervisor } from './supervisor.ts';
export { ENVOY_VERSION } from './version.ts';
