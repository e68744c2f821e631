/** The page of the tests: runs those of pages, then those of a worker; first isolated, then not. */
import { type Outcome, runCases } from "./runner.ts";
import type { Place } from "./cases.ts";

const only = new URLSearchParams(location.search).get("only") ?? "";
const plain = location.pathname.startsWith("/plain/");

async function tell(outcome: Outcome): Promise<void> {
  await fetch("/report", { method: "POST", body: JSON.stringify(outcome) });
}

function inWorker(place: Place): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker("worker.js", { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<Outcome>) => {
      if (data.end) resolve();
      else tell(data);
    };
    worker.onerror = (event) => reject(new Error((event as ErrorEvent).message));
    worker.postMessage({ place, only });
  });
}

try {
  await runCases(plain ? "plain page" : "page", only, tell);
  await inWorker(plain ? "plain worker" : "worker");
} catch (error) {
  await tell({ name: "the tests run to their end", error: String(error), milliseconds: 0 });
}
if (plain) await tell({ end: true });
else location.href = `/plain/tests/browser/${location.search}`;
