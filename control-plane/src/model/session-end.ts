/** What became of the wish to end a session. */
export interface SessionEnd {
  readonly id: string;
  readonly instance: string | null;
  /** `asked`: its agent was asked and said yes; `cut`: its connection was destroyed; `would`: of a dry run; `cannot`: see `message`. */
  readonly outcome: 'asked' | 'cut' | 'would' | 'cannot';
  readonly message: string;
}
