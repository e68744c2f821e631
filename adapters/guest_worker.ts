/**
 * What a worker imports to make the system calls of the guests in it, over a host of its own.
 *
 * @module
 */
import { runTask as run, type Task, type TaskReport } from "../core/run/worker/guest.ts";
import { runtimeMaker } from "./runtime.ts";

/** Milliseconds without a guest after which a worker of Bun collects garbage. */
const IDLE = 2;

const { Bun } = globalThis as unknown as { Bun?: { gc(force: boolean): void } };
let timer: ReturnType<typeof setTimeout> | undefined;

/** Runs a guest to its end. */
export function runTask(task: Task, post: (report: TaskReport) => void): void {
  clearTimeout(timer);
  run(task, post, runtimeMaker());
  // the few memories that JavaScriptCore makes at a time are to be free again for the next guest
  if (Bun !== undefined) timer = setTimeout(() => Bun.gc(true), IDLE);
}
