/** Failures of actions that have no place of their own: shown at the top of the page until put away. */
class Notices {
  error = $state.raw<unknown>(undefined);

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
