import { svelte } from '@sveltejs/vite-plugin-svelte';
import tailwindcss from '@tailwindcss/vite';
import { defineConfig } from 'vite';
import { budget } from './build/budget.ts';
import { catalogue } from './build/catalogue.ts';

export default defineConfig({
  plugins: [svelte(), tailwindcss(), catalogue(), budget()],
  build: { target: 'es2022', assetsInlineLimit: 0, chunkSizeWarningLimit: 700, reportCompressedSize: false },
});
