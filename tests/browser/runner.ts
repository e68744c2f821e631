/** Runs the cases of a place, one after another, and tells how they went. */
import { cases, type Place } from "./cases.ts";
import { exampleCases } from "./example.ts";

/** How a case went, or what is to be said, or the end of all. */
export interface Outcome {
  name?: string;
  error?: string;
  milliseconds?: number;
  end?: true;
}

export async function runCases(
  place: Place,
  only: string,
  tell: (outcome: Outcome) => Promise<void> | void,
): Promise<void> {
  for (const { name, places, run } of [...cases, ...exampleCases]) {
    const whole = `${place}: ${name}`;
    if (!places.includes(place) || !whole.includes(only)) continue;
    const began = performance.now();
    let error: string | undefined;
    try {
      await run(place);
    } catch (thrown) {
      error = thrown instanceof Error ? `${thrown.stack ?? thrown}` : `threw ${thrown}`;
    }
    await tell({ name: whole, error, milliseconds: Math.round(performance.now() - began) });
  }
}
