/** What came of a run: output, changed files, system calls. */
import { element, make, textOf } from "./dom.ts";
import type { Example } from "./examples.ts";
import { takeFiles } from "./form.ts";
import type { Change } from "./messages.ts";

/** Most characters of the output that are shown; more would make the page slow. */
const OUTPUT_MAX = 200_000;
/** Most characters of a changed file. */
const PREVIEW_MAX = 4_000;
/** Most lines of system calls that are shown at once. */
const LINES_MAX = 2_000;

const output = element<HTMLPreElement>("output");
const changeList = element<HTMLUListElement>("changes");
const treeNote = element<HTMLParagraphElement>("tree-note");
const keepButton = element<HTMLButtonElement>("keep");
const filter = element<HTMLInputElement>("filter");
const count = element<HTMLParagraphElement>("count");
const callList = element<HTMLPreElement>("calls");

let lines: string[] = [];
let total = 0;
let shown = 0;
let left: { files: Map<string, Uint8Array>; of: Example } | undefined;

/** Says what the empty places mean. */
export function empty(written: string, recorded: string): void {
  output.dataset.empty = written;
  callList.dataset.empty = recorded;
}

/** Says what became of the files. */
export function note(text: string): void {
  treeNote.textContent = text;
}

export function clear(): void {
  output.replaceChildren();
  changeList.replaceChildren();
  keepButton.disabled = true;
  left = undefined;
  [lines, total, shown] = [[], 0, 0];
  showCalls();
}

export function write(text: string, error: boolean): void {
  if (text === "" || shown > OUTPUT_MAX) return;
  shown += text.length;
  const cut = shown > OUTPUT_MAX ? "\n… more is not shown\n" : "";
  const atEnd = output.scrollTop + output.clientHeight >= output.scrollHeight - 8;
  output.append(error ? make("span", { className: "err" }, text + cut) : text + cut);
  if (atEnd) output.scrollTop = output.scrollHeight;
}

export function addCalls(more: readonly string[], all: number): void {
  for (const line of more) lines.push(line);
  total = all;
  if (lines.length <= LINES_MAX || more.length === 0) showCalls();
}

export function showCalls(): void {
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

export function showChanges(
  changes: readonly Change[],
  files: Map<string, Uint8Array>,
  of: Example,
): void {
  changeList.replaceChildren(...changes.map(changeItem));
  note(
    changes.length === 0 ? "The program changed no files." : "The files on the form are unchanged.",
  );
  left = { files, of };
  keepButton.disabled = changes.length === 0;
}

keepButton.onclick = () => {
  if (left === undefined) return;
  const taken = takeFiles(left.files, left.of);
  keepButton.disabled = true;
  note(taken ? "The form has these files now." : "The program is no longer on this page.");
};
