/** What is pluggable and there, built in or from the settings' `plugins`. */
export const PLUGIN_KINDS = ['probes', 'policies', 'runtimes', 'stores', 'metrics'] as const;
export type PluginKind = (typeof PLUGIN_KINDS)[number];
