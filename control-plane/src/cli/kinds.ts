/** Names by which a kind of resource goes: its own, several of it, and short. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  service: ['svc'],
  instance: ['inst'],
  route: ['rt'],
  gateway: ['gw'],
  session: ['sess'],
  event: ['ev'],
  version: ['ver'],
};

/** The singular: `service` of `svc`, `svcs`, `services` and `Service`. What is no kind stays as it is. */
export function kindOf(text: string): string {
  const word = text.toLowerCase();
  for (const [kind, short] of Object.entries(NAMES))
    if ([kind, ...short].some((name) => word === name || word === `${name}s`)) return kind;
  return text;
}

/** For help. */
export const SHORT_KINDS = Object.entries(NAMES)
  .map(([kind, short]) => `${short.join(', ')} (${kind})`)
  .join(', ');
