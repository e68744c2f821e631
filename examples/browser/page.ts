/** The page: a form, a worker for each run, and what came of it. */
import { type Example, EXAMPLES } from "./examples.ts";
import type { Change, Job, Report } from "./messages.ts";

/** Most characters of the output that are shown; more would make the page slow. */
const OUTPUT_MAX = 200_000;
/** Most characters of a changed file. */
const PREVIEW_MAX = 4_000;
/** Most lines of system calls that are shown at once. */
const LINES_MAX = 2_000;

function element<E extends HTMLElement>(id: string): E {
  return document.getElementById(id) as E;
}

const form = element<HTMLFormElement>("form");
const example = element<HTMLSelectElement>("example");
const args = element<HTMLInputElement>("args");
const fileList = element<HTMLUListElement>("files");
const fileName = element<HTMLInputElement>("name");
const content = element<HTMLTextAreaElement>("content");
const contentLabel = element<HTMLLabelElement>("content-label");
const stdin = element<HTMLTextAreaElement>("stdin");
const runButton = element<HTMLButtonElement>("run");
const stopButton = element<HTMLButtonElement>("stop");
const removeButton = element<HTMLButtonElement>("remove");
const keepButton = element<HTMLButtonElement>("keep");
const status = element<HTMLParagraphElement>("status");
const output = element<HTMLPreElement>("output");
const changeList = element<HTMLUListElement>("changes");
const treeNote = element<HTMLParagraphElement>("tree-note");
const trace = element<HTMLInputElement>("trace");
const filter = element<HTMLInputElement>("filter");
const count = element<HTMLParagraphElement>("count");
const callList = element<HTMLPreElement>("calls");

const encoder = new TextEncoder();

/** Bytes as text, or undefined if they are none. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// the files on the form

let files = new Map<string, Uint8Array>();
let selected: string | undefined;

function select(name: string | undefined): void {
  selected = name;
  const bytes = name === undefined ? undefined : files.get(name);
  const text = bytes && textOf(bytes);
  content.disabled = text === undefined;
  content.value = text ?? (bytes === undefined ? "" : `${bytes.length} bytes that are no text`);
  contentLabel.textContent = name === undefined ? "Content" : `Content of ${name}`;
  removeButton.disabled = name === undefined;
  fileList.replaceChildren(
    ...[...files.keys()].sort().map((path) => {
      const button = make("button", { type: "button", textContent: path });
      button.setAttribute("aria-pressed", String(path === name));
      button.onclick = () => select(path);
      return make("li", {}, button);
    }),
  );
}

content.oninput = () => {
  if (selected !== undefined) files.set(selected, encoder.encode(content.value));
};

/** A path as it is in the tree, or undefined if nothing can be there. */
function tidy(path: string): string | undefined {
  const names = path.replace(/^\/?(work\/)?/, "").split("/").filter((name) => name !== "");
  if (names.length === 0 || names.includes("..") || names.includes(".")) return undefined;
  const whole = names.join("/");
  const inTheWay = [...files.keys()].some((other) =>
    other.startsWith(`${whole}/`) || whole.startsWith(`${other}/`)
  );
  return inTheWay ? undefined : whole;
}

element("add").onclick = () => {
  const name = tidy(fileName.value.trim());
  fileName.setCustomValidity(name === undefined ? "A name such as new/file.txt is needed." : "");
  if (!fileName.reportValidity() || name === undefined) return;
  if (!files.has(name)) files.set(name, new Uint8Array(0));
  fileName.value = "";
  select(name);
  content.focus();
};

fileName.oninput = () => fileName.setCustomValidity("");
fileName.onkeydown = (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  element("add").click();
};

removeButton.onclick = () => {
  if (selected !== undefined) files.delete(selected);
  select([...files.keys()].sort()[0]);
};

// the examples

let current: Example = EXAMPLES[0]!;

function show(chosen: Example): void {
  current = chosen;
  element("about").textContent = chosen.about;
  args.value = chosen.args;
  stdin.value = chosen.stdin;
  files = new Map(
    Object.entries(chosen.files).map(([path, text]) => [path, encoder.encode(text)]),
  );
  select(Object.keys(chosen.files)[0]);
}

example.append(...EXAMPLES.map(({ title }, i) => make("option", { value: `${i}` }, title)));
example.onchange = () => show(EXAMPLES[Number(example.value)]!);

/** The words of a command line; quotes keep words together, as in a shell. */
function split(line: string): string[] {
  const words = line.match(/(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])+/g) ?? [];
  return words.map((word) =>
    word.replace(
      /"((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)/g,
      (_, double?: string, single?: string, one?: string) =>
        double?.replace(/\\(["\\])/g, "$1") ?? single ?? one ?? "",
    )
  );
}

// what came of a run

let lines: string[] = [];
let total = 0;
let shown = 0;

function state(kind: "idle" | "busy" | "good" | "bad" | "stopped", text: string): void {
  status.dataset.state = kind;
  status.textContent = text;
}

function write(text: string, error: boolean): void {
  if (text === "" || shown > OUTPUT_MAX) return;
  shown += text.length;
  const cut = shown > OUTPUT_MAX ? "\n… more is not shown\n" : "";
  const atEnd = output.scrollTop + output.clientHeight >= output.scrollHeight - 8;
  output.append(error ? make("span", { className: "err" }, text + cut) : text + cut);
  if (atEnd) output.scrollTop = output.scrollHeight;
}

function showCalls(): void {
  const wanted = filter.value.trim();
  const found = wanted === "" ? lines : lines.filter((line) => line.includes(wanted));
  const rest = found.length - LINES_MAX;
  callList.textContent = found.slice(0, LINES_MAX).join("\n");
  const number = (value: number): string => value.toLocaleString("en");
  const parts = [`${number(total)} ${total === 1 ? "call" : "calls"}`];
  if (wanted !== "") parts.push(`${number(found.length)} with “${wanted}”`);
  if (rest > 0) parts.push(`the first ${number(LINES_MAX)} are shown`);
  if (total > lines.length) parts.push(`the first ${number(lines.length)} were kept`);
  count.textContent = total === 0 ? "" : parts.join(", ");
}

filter.oninput = showCalls;

function size(bytes: Uint8Array): string {
  return `${bytes.length.toLocaleString("en")} ${bytes.length === 1 ? "byte" : "bytes"}`;
}

function changeItem({ kind, path, from, content }: Change): HTMLLIElement {
  const head = [
    make("span", { className: `kind ${kind}` }, kind),
    make("span", { className: "path" }, path),
  ];
  const more = [
    from === undefined ? "" : `from ${from}`,
    content === undefined ? "" : size(content),
  ]
    .filter((part) => part !== "").join(", ");
  if (more !== "") head.push(make("span", { className: "more" }, ` (${more})`));
  const text = content === undefined ? undefined : textOf(content);
  if (text === undefined || text === "") {
    return make("li", {}, make("div", { className: "plain" }, ...head));
  }
  const cut = text.length > PREVIEW_MAX ? `${text.slice(0, PREVIEW_MAX)}\n…` : text;
  const preview = make("pre", { className: "code", tabIndex: 0 }, cut);
  preview.setAttribute("aria-label", `Content of ${path}`);
  return make("li", {}, make("details", {}, make("summary", {}, ...head), preview));
}

let kept: Map<string, Uint8Array> | undefined;

function showChanges(changes: readonly Change[], after: Map<string, Uint8Array>): void {
  changeList.replaceChildren(...changes.map(changeItem));
  treeNote.textContent = changes.length === 0
    ? "The program changed no file."
    : "Each run begins with the files on the form.";
  kept = after;
  keepButton.disabled = changes.length === 0;
}

keepButton.onclick = () => {
  if (kept === undefined) return;
  files = new Map(kept);
  select(selected !== undefined && files.has(selected) ? selected : [...files.keys()].sort()[0]);
  keepButton.disabled = true;
  treeNote.textContent = "The form has these files now.";
};

// running

const modules = new Map<string, Promise<WebAssembly.Module>>();

function load(program: string): Promise<WebAssembly.Module> {
  let module = modules.get(program);
  if (module === undefined) {
    module = WebAssembly.compileStreaming(fetch(program));
    module.catch(() => modules.delete(program));
    modules.set(program, module);
  }
  return module;
}

/** The run that goes on; what others tell is too late. */
let running: { worker: Worker | undefined; began: number } | undefined;

function finish(kind: "good" | "bad" | "stopped", text: string): void {
  const { worker, began } = running!;
  worker?.terminate();
  running = undefined;
  const milliseconds = performance.now() - began;
  const took = milliseconds < 1000
    ? `${milliseconds.toFixed(0)} ms`
    : `${(milliseconds / 1000).toFixed(1)} s`;
  state(kind, `${text} after ${took}`);
  runButton.disabled = false;
  stopButton.disabled = true;
  showCalls();
}

function clear(): void {
  output.replaceChildren();
  changeList.replaceChildren();
  treeNote.textContent = "It is known what changed when the program has ended.";
  keepButton.disabled = true;
  kept = undefined;
  [lines, total, shown] = [[], 0, 0];
  showCalls();
}

/** Where the results are below the form they are brought into view. */
function look(): void {
  if (!matchMedia("(max-width: 60rem)").matches) return;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  element("results").scrollIntoView({ behavior: still ? "auto" : "smooth" });
}

async function run(): Promise<void> {
  clear();
  look();
  const mine = running = { worker: undefined as Worker | undefined, began: performance.now() };
  runButton.disabled = true;
  stopButton.disabled = false;
  state("busy", "Loading the program …");
  let module: WebAssembly.Module;
  try {
    module = await load(current.program);
  } catch (error) {
    if (running === mine) finish("bad", `Could not be loaded: ${error}`);
    return;
  }
  if (running !== mine) return;
  const worker = mine.worker = new Worker("worker.js", { type: "module" });
  mine.began = performance.now();
  state("busy", "Running …");
  const decoders = { 1: new TextDecoder(), 2: new TextDecoder() };
  worker.onerror = () => running === mine && finish("bad", "The worker could not be started");
  worker.onmessage = ({ data }: MessageEvent<Report>) => {
    if (running !== mine) return;
    if (data.kind === "output") {
      write(decoders[data.stream].decode(data.chunk, { stream: true }), data.stream === 2);
    } else if (data.kind === "calls") {
      for (const line of data.lines) lines.push(line);
      total = data.total;
      if (lines.length <= LINES_MAX || data.lines.length === 0) showCalls();
    } else if (data.kind === "ended") {
      showChanges(data.changes, data.files);
      finish(data.code === 0 ? "good" : "bad", `Ended with exit code ${data.code}`);
    } else {
      treeNote.textContent = "The program failed: its files are as they were.";
      finish("bad", data.text);
    }
  };
  const job: Job = {
    module,
    args: split(args.value),
    env: current.env ?? {},
    stdin: stdin.value,
    files,
    trace: trace.checked,
  };
  worker.postMessage(job);
}

form.onsubmit = (event) => {
  event.preventDefault();
  if (running === undefined) run();
};

form.onkeydown = (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
};

stopButton.onclick = () => {
  if (running === undefined) return;
  treeNote.textContent = "The program was stopped: its files are gone with it.";
  finish("stopped", "Stopped");
};

show(current);
showCalls();
