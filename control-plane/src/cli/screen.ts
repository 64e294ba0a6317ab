/**
 * A terminal that a command takes for itself and leaves as it was: another screen, keys at once, lines that do not wrap. A redraw writes over
 * what is there and shows at one moment where the terminal can, so that nothing flickers.
 */
import { emitKeypressEvents } from 'node:readline';

export interface Key {
  readonly name: string;
  readonly ctrl: boolean;
}

export interface Screen {
  /** Lines that do not fit are left out. */
  draw(text: string): void;
  readonly rows: () => number;
  close(): void;
}

const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l';
/** Some terminals do not tell their size. */
const UNKNOWN_ROWS = 24;
const AT_ONCE = ['\u001b[?2026h', '\u001b[?2026l'] as const;

/** What a redraw writes: from the top left on, each line up to its end, and nothing of what was there below. */
export function redraw(text: string, rows: number): string {
  const lines = text.replace(/\n$/, '').split('\n').slice(0, rows);
  return `${AT_ONCE[0]}\u001b[H${lines.join('\u001b[K\r\n')}\u001b[K\u001b[J${AT_ONCE[1]}`;
}

/** `onKey` gets all keys but those that stop the program for a while; `onResize` is also called when it goes on. */
export function openScreen(onKey: (key: Key) => void, onResize: () => void): Screen {
  const { stdin, stdout } = process;
  let open = true;
  const rows = (): number => (stdout.rows > 0 ? stdout.rows : UNKNOWN_ROWS);

  function enter(): void {
    if (stdin.isTTY) stdin.setRawMode(true);
    stdout.write(ENTER);
  }
  function leave(): void {
    stdout.write(LEAVE);
    if (stdin.isTTY) stdin.setRawMode(false);
  }
  function take(_text: string | undefined, { name, ctrl }: { name?: string; ctrl: boolean }): void {
    if (ctrl && name === 'z') {
      leave();
      // As the terminal would: whoever started this one waits in the same group.
      process.kill(0, 'SIGTSTP');
    } else onKey({ name: name ?? _text ?? '', ctrl });
  }
  function goOn(): void {
    enter();
    onResize();
  }
  function close(): void {
    if (!open) return;
    open = false;
    process.off('exit', close);
    process.off('SIGCONT', goOn);
    stdout.off('resize', onResize);
    stdin.off('keypress', take);
    leave();
    stdin.pause();
  }
  // Whatever ends the program, the terminal is given back.
  process.on('exit', close);
  process.on('SIGCONT', goOn);
  stdout.on('resize', onResize);
  if (stdin.isTTY) {
    emitKeypressEvents(stdin);
    stdin.on('keypress', take);
    stdin.resume();
  }
  enter();
  return {
    draw(text) {
      if (open) stdout.write(redraw(text, rows()));
    },
    rows,
    close,
  };
}
