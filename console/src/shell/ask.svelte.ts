/** Actions that need a yes: the API is asked first what each would do, then the question is put with those numbers. */
import type { WriteAnswer } from '../../../control-plane/src/api/types.ts';
import type { Impact } from '../../../control-plane/src/model/write.ts';

export interface Action {
  /** What it is done to. */
  readonly name: string;
  run(flags: { dryRun: boolean; now: boolean }): Promise<WriteAnswer>;
}

interface Question {
  readonly title: string;
  readonly button: string;
  readonly actions: readonly Action[];
  readonly impact: Impact;
  /** undefined: the action knows no "at once". */
  readonly now: boolean | undefined;
}

function sum(all: readonly Impact[]): Impact {
  return {
    endsNow: all.reduce((total, one) => total + one.endsNow, 0),
    drains: all.reduce((total, one) => total + one.drains, 0),
    instances: all.flatMap((one) => one.instances),
  };
}

interface Result {
  readonly name: string;
  /** Present: it could not be done. */
  readonly error?: unknown;
}

class Asking {
  question = $state.raw<Question | undefined>(undefined);
  busy = $state(false);
  error = $state.raw<unknown>(undefined);
  results = $state.raw<readonly Result[]>([]);

  /** Throws what the API answers when an action can't be done at all. */
  async ask(
    title: string,
    button: string,
    actions: readonly Action[],
    { canEndNow = false }: { canEndNow?: boolean } = {},
  ): Promise<void> {
    const answers = await Promise.all(actions.map(async (one) => one.run({ dryRun: true, now: false })));
    this.error = undefined;
    this.results = [];
    this.question = {
      title,
      button,
      actions,
      impact: sum(answers.map((one) => one.impact)),
      now: canEndNow ? false : undefined,
    };
  }

  async setNow(now: boolean): Promise<void> {
    const { question } = this;
    if (question === undefined || this.busy) return;
    this.busy = true;
    try {
      const answers = await Promise.all(question.actions.map(async (one) => one.run({ dryRun: true, now })));
      this.question = { ...question, now, impact: sum(answers.map((one) => one.impact)) };
      this.error = undefined;
    } catch (error) {
      this.error = error;
    }
    this.busy = false;
  }

  /** One after the other; what failed is told by name and the question stays. */
  async confirm(): Promise<void> {
    const { question } = this;
    if (question === undefined || this.busy) return;
    this.busy = true;
    this.error = undefined;
    const results: Result[] = [];
    for (const action of question.actions) {
      try {
        await action.run({ dryRun: false, now: question.now === true });
        results.push({ name: action.name });
      } catch (error) {
        results.push({ name: action.name, error });
        if (question.actions.length === 1) this.error = error;
      }
      if (question.actions.length > 1) this.results = [...results];
    }
    this.busy = false;
    if (results.every((one) => one.error === undefined)) this.question = undefined;
  }

  cancel(): void {
    if (!this.busy) this.question = undefined;
  }
}

export const asking = new Asking();
