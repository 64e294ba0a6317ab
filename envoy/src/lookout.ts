/**
 * When Envoy is looked at. It is nobody's child, so nobody is told of its end; but the kernel closes a connection to its admin socket, on which
 * nothing is ever said, the moment it ends. That is sooner than any look, and costs nothing. It is only a hint: an Envoy that hands over
 * closes it too. So it is looked at seldom while the connection stands, closely for a while once it is cut, and often without one.
 */
import { connect, type Socket } from 'node:net';

export interface Lookout {
  begin(): void;
  /** Holds a connection to this admin socket, if none is held. */
  hold(socketPath: string): void;
  /** Another Envoy is followed from now on. */
  letGo(): void;
  end(): void;
}

export interface LookoutOptions {
  /** Never rejects. */
  readonly look: () => Promise<void>;
  /** There is more to see than the end of one that is held. */
  readonly isOften: () => boolean;
}

const LOOK_MS = 100;
const HELD_LOOK_MS = 1_000;
const CLOSE_LOOK_MS = 10;
const CLOSE_LOOKS = 30;

export function createLookout({ look, isOften }: LookoutOptions): Lookout {
  let timer: NodeJS.Timeout | undefined;
  let line: Socket | undefined;
  let closeLooks = 0;
  let ended = true;

  function plan(): void {
    clearTimeout(timer);
    if (ended) return;
    if (closeLooks > 0) closeLooks -= 1;
    const held = line?.readyState === 'open' && !isOften();
    timer = setTimeout(() => void look().finally(plan), closeLooks > 0 ? CLOSE_LOOK_MS : held ? HELD_LOOK_MS : LOOK_MS);
    timer.unref();
  }

  function letGo(): void {
    line?.removeAllListeners('close').destroy();
    line = undefined;
  }

  return {
    begin() {
      ended = false;
      plan();
    },
    hold(socketPath) {
      if (line !== undefined || ended) return;
      line = connect(socketPath);
      line.unref();
      // It ends with the close that follows.
      line.on('error', () => undefined);
      line.once('close', () => {
        line = undefined;
        closeLooks = CLOSE_LOOKS;
        plan();
      });
    },
    letGo,
    end() {
      ended = true;
      clearTimeout(timer);
      letGo();
    },
  };
}
