/** The settings' seed files, applied once: when the registry has never held anything. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseDocuments } from '../model/document-text.ts';
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import { SwitchboardError, messageOf } from '../model/errors.ts';
import type { Registry } from '../registry/registry.ts';

export async function seed(config: Config, registry: Registry, log: Log): Promise<void> {
  if (config.seed.length === 0 || registry.view().services.size > 0 || registry.view().revision > 0) return;
  const documents = config.seed.flatMap((file) => {
    const path = resolve(config.baseFolder, file);
    try {
      return parseDocuments(readFileSync(path, 'utf8'));
    } catch (cause) {
      const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
      throw new SwitchboardError('invalid', `seed: ${path}${isMissing ? ' is not there' : `: ${messageOf(cause)}`}`, {
        cause,
      });
    }
  });
  if (documents.length === 0) return;
  const result = await registry.apply(documents, { actor: 'seed' });
  log.info(
    { resources: result.changes.map((change) => `${change.kind}/${change.name}`) },
    'the registry was empty: the seed was applied',
  );
}
