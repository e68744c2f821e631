/**
 * What a worker imports to make the system calls of the guests in it, over a host of its own.
 *
 * @module
 */
import { runTask as run, type Task, type TaskReport } from "../core/run/worker/guest.ts";
import { runtimeMaker } from "./runtime.ts";

/** Runs a guest to its end. */
export function runTask(task: Task, post: (report: TaskReport) => void): void {
  run(task, post, runtimeMaker());
}
