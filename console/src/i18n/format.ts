/** Numbers, times and sizes as the language writes them. */
import { locale } from './i18n.svelte.ts';

/** To make one costs a hundred times as much as to use it, and a live page writes hundreds of numbers a second. */
function kept<T>(make: (locale: string) => T): () => T {
  const made = new Map<string, T>();
  return () => {
    const language = locale();
    const found = made.get(language) ?? make(language);
    made.set(language, found);
    return found;
  };
}

const numbers = kept((language) => new Intl.NumberFormat(language));
const clocks = kept(
  (language) => new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', second: '2-digit' }),
);
const dayTimes = kept(
  (language) =>
    new Intl.DateTimeFormat(language, { day: '2-digit', month: '2-digit', hour: '2-digit', minute: '2-digit' }),
);
const days = kept((language) => new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short' }));
const dateTimes = kept((language) => new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' }));
const durations = kept((language) => {
  const of = (unit: string): Intl.NumberFormat =>
    new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'short' });
  return { second: of('second'), minute: of('minute'), hour: of('hour'), day: of('day') };
});

export const number = (value: number): string => numbers().format(value);
export const clock = (at: string | number): string => clocks().format(new Date(at));
export const dayTime = (at: number): string => dayTimes().format(at);
export const day = (at: string): string => days().format(new Date(at));
/** In this browser's time zone. */
export const isToday = (at: string, now: number): boolean =>
  new Date(at).toDateString() === new Date(now).toDateString();
export const dateTime = (at: string | number): string => dateTimes().format(new Date(at));

/** `3 min`: how long between then and `now` (milliseconds since the epoch). */
export function age(at: string | number, now: number): string {
  return duration(Math.max(0, now - new Date(at).getTime()));
}

export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const [value, unit] =
    seconds < 60
      ? ([seconds, 'second'] as const)
      : seconds < 3600
        ? ([Math.floor(seconds / 60), 'minute'] as const)
        : seconds < 86_400
          ? ([Math.floor(seconds / 3600), 'hour'] as const)
          : ([Math.floor(seconds / 86_400), 'day'] as const);
  return durations()[unit].format(value);
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function bytes(value: number): string {
  let scaled = value;
  let unit = 0;
  while (scaled >= 1024 && unit < UNITS.length - 1) {
    scaled /= 1024;
    unit += 1;
  }
  return `${scaled >= 100 || unit === 0 ? Math.round(scaled) : scaled.toFixed(1)} ${UNITS[unit]}`;
}
