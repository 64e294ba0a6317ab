/** For the tests of this folder: the API on a real socket over a real registry in memory, without processes or an Envoy. */
import { createLog } from '../log.ts';
