/**
 * How Node runs the control plane: small. Measured at 100 services of 3 instances, with a young generation of 4 MiB and two arenas of the C
 * library instead of 8 MiB and one arena a thread: 150 to 162 MiB after 600 writes instead of 169 to 181, and no more CPU a write. With a
 * fixed size from which the C library takes memory from the system by itself, large messages go back to it: without, it raises that size with the first
 * ones, and 100 Envoys that came and went left 337 MiB of 131 behind; with it 180.
 */
export const NODE_FLAGS = ['--max-semi-space-size=4', '--expose-gc'] as const;
export const NODE_ENVIRONMENT = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '65536',
  MALLOC_TRIM_THRESHOLD_: '131072',
} as const;
