/** Failures of actions that have no place of their own: shown at the top, in sight, until put away. */
class Notices {
  error = $state.raw<unknown>(undefined);
  /** Panels that are open over the page: they show it then, since nobody sees or hears what is behind them. */
  panels = $state(0);

  /** Runs it; what it throws is shown. */
  async attempt(work: () => Promise<unknown>): Promise<void> {
    this.error = undefined;
    try {
      await work();
    } catch (error) {
      this.error = error;
    }
  }
}

export const notices = new Notices();
