import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { seriesConformance } from '../conformance.ts';
import { memorySeries } from './memory.ts';
import { sqliteSeries } from './sqlite.ts';

const folder = mkdtempSync(join(tmpdir(), 'sb-series-'));
let count = 0;
const path = (): string => join(folder, `${count}.db`);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

seriesConformance('memory', { open: memorySeries });
seriesConformance('sqlite', {
  open() {
    count += 1;
    return sqliteSeries(path());
  },
  reopen: () => sqliteSeries(path()),
});
