/** The worker of the tests. */
import type { Place } from "./cases.ts";
import { runCases } from "./runner.ts";

const port = globalThis as unknown as {
  onmessage: (event: MessageEvent<{ place: Place; only: string }>) => void;
  postMessage(message: unknown): void;
};

port.onmessage = async ({ data: { place, only } }) => {
  await runCases(place, only, (outcome) => port.postMessage(outcome));
  port.postMessage({ end: true });
};
