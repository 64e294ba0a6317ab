/** Fails the build where what the first page loads is more than it may be. Parts that are loaded when they are needed don't count. */
import { gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

const LIMIT_KIB = 250;
/** Loaded at once though imported lazily: the first page, and the larger of the two catalogues. */
const FIRST = [/pages\/overview\/Overview\.svelte$/, /i18n\/zh-cn\/index\.ts$/];

export function budget(): Plugin {
  return {
    name: 'switchboard-budget',
    generateBundle(_options, bundle) {
      const first = new Set<string>();
      const visit = (name: string): void => {
        if (first.has(name)) return;
        first.add(name);
        const part = bundle[name];
        if (part?.type !== 'chunk') return;
        for (const other of [...part.imports, ...(part.viteMetadata?.importedCss ?? [])]) visit(other);
      };
      for (const [name, part] of Object.entries(bundle)) {
        if (part.type !== 'chunk') continue;
        const modules = Object.keys(part.modules);
        if (part.isEntry || modules.some((id) => FIRST.some((pattern) => pattern.test(id)))) visit(name);
      }
      let bytes = 0;
      for (const name of first) {
        const part = bundle[name];
        if (part !== undefined) bytes += gzipSync(part.type === 'chunk' ? part.code : part.source).length;
      }
      const kib = bytes / 1024;
      this.info(`first load ${kib.toFixed(1)} KiB gzip of ${LIMIT_KIB} (${first.size} files)`);
      if (kib > LIMIT_KIB) this.error(`the first load is ${kib.toFixed(1)} KiB gzip, more than ${LIMIT_KIB}`);
    },
  };
}
