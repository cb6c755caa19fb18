// Something that a screen shows: asked for, shown, asked for again when anything happened.
import { Refusal } from "./api";
import { onChange } from "./live.svelte";

/** However much happens, a screen asks again after this. */
const REST_MS = 1_500;
/** And after this though nothing happened, because time passes too. */
const AT_LEAST_MS = 15_000;

export class Loaded<T> {
  data = $state.raw<T>();
  refusal = $state.raw<Refusal>();
  #ask: () => Promise<T>;
  #asked = 0;
  #is_over = false;

  /** To be made while a component is; `ask` is asked again whenever what it reads at once has changed. */
  constructor(ask: () => Promise<T>, is_live = true) {
    this.#ask = ask;
    $effect(() => {
      this.#is_over = false;
      void this.#take(this.#ask());
      if (!is_live) return () => (this.#is_over = true);
      let resting = false;
      let again = false;
      const look = () => {
        if (document.hidden || this.#is_over) return;
        if (resting) {
          again = true;
          return;
        }
        resting = true;
        void this.refresh().finally(() =>
          setTimeout(() => {
            resting = false;
            if (again) {
              again = false;
              look();
            }
          }, REST_MS),
        );
      };
      const ended = onChange(look);
      const clock = setInterval(look, AT_LEAST_MS);
      document.addEventListener("visibilitychange", look);
      return () => {
        this.#is_over = true;
        ended();
        clearInterval(clock);
        document.removeEventListener("visibilitychange", look);
      };
    });
  }

  /** Asks again, unless the component is gone. */
  async refresh(): Promise<void> {
    if (!this.#is_over) await this.#take(this.#ask());
  }

  async #take(answer: Promise<T>): Promise<void> {
    const asked = ++this.#asked;
    try {
      const data = await answer;
      if (asked === this.#asked) {
        this.data = data;
        this.refusal = undefined;
      }
    } catch (error) {
      if (asked === this.#asked) this.refusal = error instanceof Refusal ? error : new Refusal(0, "bug", String(error));
    }
  }
}
