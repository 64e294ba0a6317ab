/** `grpc-xds-call.ts TARGET TEXT`: one call to an xds:/// target with gRPC's own xDS client; prints the answer. */
import { Client, credentials } from '@grpc/grpc-js';
import { register } from '@grpc/grpc-js-xds';

register();
const [target = '', text = ''] = process.argv.slice(2);
const pass = (value: Buffer): Buffer => value;
const client = new Client(target, credentials.createInsecure());
const deadline = Date.now() + 15_000;
client.makeUnaryRequest('/echo.Echo/Echo', pass, pass, Buffer.from(text), { deadline }, (error, answer) => {
  process.stdout.write(error === null ? (answer?.toString() ?? '') : `failed: ${error.message}`);
  process.exit(error === null ? 0 : 1);
});
