/**
 * A clock of the time that this process was there to see. It stands still while the process does: stopped by a signal, on a machine that sleeps or is
 * moved. What nobody could tell meanwhile (a heartbeat, the answer to a check) waits to be read afterwards, and must not count as late.
 */
export interface AwakeClock {
  /** Milliseconds; goes only forward. */
  elapsed(): number;
  /** Milliseconds since the epoch: when the last standstill ended, or this process began. */
  wokeAt(): number;
  close(): void;
}

const TICK_MS = 250;
/** A gap between two looks that no busy moment explains. */
const STANDSTILL_MS = 1_000;

/** `now`: milliseconds since the epoch, which go on while a machine sleeps; `steady`: of a clock that never jumps, and may stand still then. */
export function createAwakeClock(now: () => number, steady: () => number = () => performance.now()): AwakeClock {
  let [wall, last] = [now(), steady()];
  let woke = wall;
  let awake = 0;

  function look(): void {
    const [toWall, to] = [now(), steady()];
    if (Math.max(toWall - wall, to - last) > STANDSTILL_MS) woke = toWall;
    else awake += to - last;
    [wall, last] = [toWall, to];
  }

  const timer = setInterval(look, TICK_MS);
  timer.unref();
  return {
    elapsed() {
      look();
      return awake;
    },
    wokeAt() {
      look();
      return woke;
    },
    close() {
      clearInterval(timer);
    },
  };
}
