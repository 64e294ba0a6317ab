/** Stock Envoy as a program: found or installed, bootstrapped, supervised. */
export { CONTROL_PLANE_CLUSTER, bootstrap, speaksInClear, type BootstrapOptions, type TlsFiles } from './bootstrap.ts';
export { findEnvoy, type FoundEnvoy } from './find.ts';
export { createEnvoy, type EnvoyOptions, type EnvoyStatus, type EnvoySupervisor } from './supervise.ts';
export { ENVOY_VERSION } from './version.ts';
