/** How finely and how long history is kept. */

export interface Level {
  readonly name: string;
  readonly stepMs: number;
  /** How many slots the ring has. */
  readonly slots: number;
}

export const LEVELS = [
  { name: '10s', stepMs: 10_000, slots: 360 },
  { name: '1m', stepMs: 60_000, slots: 1_440 },
  { name: '1h', stepMs: 3_600_000, slots: 720 },
] as const satisfies readonly Level[];

export const FINEST = LEVELS[0];

export const slotStart = (at: number, level: Level): number => Math.floor(at / level.stepMs) * level.stepMs;
/** Its place in the ring. */
export const ringPlace = (at: number, level: Level): number => Math.floor(at / level.stepMs) % level.slots;
export const keptMs = (level: Level): number => level.stepMs * level.slots;
