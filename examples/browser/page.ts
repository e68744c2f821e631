/** The page: runs what the form asks for, in a worker of its own, and says how it ended. */
import { element } from "./dom.ts";
import type { Example } from "./examples.ts";
import { asked, form, restore } from "./form.ts";
import { load } from "./load.ts";
import type { Job, Report } from "./messages.ts";
import { addCalls, clear, empty, note, showCalls, showChanges, write } from "./results.ts";

/** Whose project it is. */
const OWNER = "OWNER";

const runButton = element<HTMLButtonElement>("run");
const stopButton = element<HTMLButtonElement>("stop");
const line = element<HTMLDivElement>("line");
const status = element<HTMLParagraphElement>("status");
const measure = element<HTMLSpanElement>("measure");
const progress = element<HTMLProgressElement>("progress");
const detail = element<HTMLParagraphElement>("detail");
const trace = element<HTMLInputElement>("trace");

/** A run that goes on. */
interface Run {
  example: Example;
  /** ends the download */
  download: AbortController;
  worker?: Worker;
  began?: number;
  ticking?: ReturnType<typeof setInterval>;
  limit?: ReturnType<typeof setTimeout>;
}

/** What others tell is too late. */
let running: Run | undefined;

function state(kind: "idle" | "busy" | "good" | "bad" | "stopped", text: string): void {
  line.dataset.state = kind;
  status.textContent = status.title = text;
}

/** The buttons keep the focus, which a disabled one would lose. */
function buttons(busy: boolean): void {
  runButton.setAttribute("aria-disabled", String(busy));
  stopButton.setAttribute("aria-disabled", String(!busy));
}

function elapsed({ began }: Run): string {
  return began === undefined ? "" : `${((performance.now() - began) / 1000).toFixed(1)} s`;
}

function finish(kind: "good" | "bad" | "stopped", text: string, more = ""): void {
  const run = running!;
  running = undefined;
  run.download.abort();
  run.worker?.terminate();
  clearInterval(run.ticking);
  clearTimeout(run.limit);
  measure.textContent = elapsed(run);
  progress.hidden = true;
  detail.textContent = more;
  state(kind, text);
  buttons(false);
  if (run.worker === undefined) empty("The program did not run.", "The program did not run.");
  else empty("Nothing was written.", trace.checked ? "No calls." : "Calls were not recorded.");
  showCalls();
}

/** Where the results are below the form they are brought into view. */
function look(): void {
  if (!matchMedia("(max-width: 60rem)").matches) return;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  element("results").scrollIntoView({ behavior: still ? "auto" : "smooth" });
}

function showProgress(received: number, total: number | undefined): void {
  const mega = (bytes: number): string => (bytes / 1e6).toFixed(1);
  measure.textContent = total === undefined
    ? `${mega(received)} MB`
    : `${mega(received)} of ${mega(total)} MB`;
  if (total !== undefined) [progress.max, progress.value] = [total, received];
}

/** Takes what the worker of a run tells. */
function listen(mine: Run): void {
  const worker = mine.worker!;
  const decoders = { 1: new TextDecoder(), 2: new TextDecoder() };
  worker.onerror = () => running === mine && finish("bad", "Worker could not start");
  worker.onmessage = ({ data }: MessageEvent<Report>) => {
    if (running !== mine) return;
    if (data.kind === "output") {
      write(decoders[data.stream].decode(data.chunk, { stream: true }), data.stream === 2);
    } else if (data.kind === "calls") {
      addCalls(data.lines, data.total);
    } else if (data.kind === "ended") {
      showChanges(data.changes, data.files, mine.example);
      const { code, trap } = data;
      if (trap === undefined) finish(code === 0 ? "good" : "bad", `Exit code ${code}`);
      else finish("bad", `Trapped: ${trap}`, `The program trapped: ${trap}.`);
    } else {
      note("The program did not run.");
      finish("bad", "Could not be started", data.text);
    }
  };
}

async function run(): Promise<void> {
  const { example, job, limit } = asked();
  const mine: Run = running = { example, download: new AbortController() };
  clear();
  empty("No output yet.", "No calls yet.");
  note("Known when the program has ended.");
  detail.textContent = measure.textContent = "";
  look();
  buttons(true);
  state("busy", "Loading");
  progress.removeAttribute("value");
  progress.hidden = false;
  let module: WebAssembly.Module;
  try {
    module = await load(example.program, mine.download.signal, (received, total) => {
      if (running === mine) showProgress(received, total);
    });
  } catch (error) {
    if (running !== mine) return;
    note("The program did not run.");
    finish("bad", "Could not be loaded", String(error));
    return;
  }
  if (running !== mine) return;
  progress.hidden = true;
  state("busy", "Running");
  mine.began = performance.now();
  mine.worker = new Worker("worker.js", { type: "module" });
  measure.textContent = elapsed(mine);
  mine.ticking = setInterval(() => measure.textContent = elapsed(mine), 100);
  if (limit !== Infinity) {
    mine.limit = setTimeout(() => {
      note("The program timed out; its files are lost.");
      finish("stopped", `Timed out after ${limit} s`);
    }, limit * 1000);
  }
  listen(mine);
  mine.worker.postMessage({ ...job, module, trace: trace.checked } satisfies Job);
}

form.onsubmit = (event) => {
  event.preventDefault();
  if (running === undefined) run();
};

addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  form.requestSubmit();
});

stopButton.onclick = () => {
  if (running === undefined) return;
  const loading = running.worker === undefined;
  note(loading ? "The program did not run." : "The program was stopped; its files are lost.");
  finish("stopped", loading ? "Stopped while loading" : "Stopped");
};

element<HTMLAnchorElement>("project").href = `https://github.com/${OWNER}/wasi`;
const mac = /^(Mac|iP)/.test(navigator.platform);
element("keys").textContent = mac ? "Cmd+Enter" : "Ctrl+Enter";
runButton.setAttribute("aria-keyshortcuts", mac ? "Meta+Enter" : "Control+Enter");
empty("Run the program to see its output.", "Run the program to see its calls.");
note("Run the program to see its changes.");
buttons(false);
await restore();
document.body.dataset.ready = "";
