import { z } from 'zod';
import { WriteResult } from '../../model/write.ts';
import { AckReport } from '../../xds/status.ts';

/** Of every write. */
export const WriteAnswer = WriteResult.extend({
  acks: AckReport.exactOptional().describe('With wait=acked: which gateways run it.'),
}).meta({ id: 'WriteAnswer' });
export type WriteAnswer = Readonly<z.infer<typeof WriteAnswer>>;
