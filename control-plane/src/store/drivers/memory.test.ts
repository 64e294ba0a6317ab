import { storeConformance } from '../conformance.ts';
import { memoryStore } from './memory.ts';

storeConformance('memory', {
  open: async (context, options) => memoryStore.create(memoryStore.options.parse(options ?? {}), context),
  notReopenable: 'it lives and dies with its process',
});
