import { expect, it } from 'vitest';
import { nackText } from './nack-text.ts';

it('keeps Envoy’s reason and the name, and nothing of the resource', () => {
  const reason = 'Proto constraint validation failed (ClusterValidationError.X: value must be less than 3)';
  const dump = 'goo.gle/debugproto  \nname: "weather"\nmetadata {\n  api_key: "s3cret"\n}\n';
  expect(nackText(`${dump}: ${reason}`)).toBe(`weather: ${reason}`);
  expect(nackText(`Error adding cluster: ${dump}: ${reason}`)).toBe(`Error adding cluster: weather: ${reason}`);
  expect(nackText(`goo.gle/debugstr name: "a" api_key: "s3cret" }: ${reason}`)).toBe(`a: ${reason}`);
  expect(nackText('goo.gle/debugonly api_key: "s3cret"')).not.toContain('s3cret');
  expect(nackText(`${dump}: ${reason}, ${dump}: ${reason}`)).not.toContain('s3cret');
  expect(nackText('Error adding/updating cluster(s) a: missing certificate')).toBe(
    'Error adding/updating cluster(s) a: missing certificate',
  );
  expect(nackText('x'.repeat(9_000))).toHaveLength(2_000);
});
