const numbers = new Intl.NumberFormat('en-GB');

/** `1 session`, `2 sessions`. */
export const count = (value: number, one: string, many = `${one}s`): string =>
  `${numbers.format(value)} ${value === 1 ? one : many}`;
