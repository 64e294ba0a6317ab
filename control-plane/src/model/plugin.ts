/** What is pluggable and there, built in or from the settings' `plugins`. */
export const PLUGIN_KINDS = ['probes', 'policies', 'runtimes', 'stores', 'metrics'] as const;
export type PluginKind = (typeof PLUGIN_KINDS)[number];

export interface PluginInfo {
  readonly kind: PluginKind;
  readonly name: string;
  /** One line; null: it says nothing of itself. */
  readonly about: string | null;
  /** The module of the settings that brought it; null: built in. */
  readonly from: string | null;
  /** JSON schema of its options. */
  readonly options: object;
}
