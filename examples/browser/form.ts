/** The form: which program runs, with which files, arguments and input. Edits are kept. */
import { bytesOf, element, make, textOf } from "./dom.ts";
import { type Example, EXAMPLES } from "./examples.ts";
import { OWN, problemOf, unload } from "./load.ts";
import type { Job } from "./messages.ts";
import { forgetProgram, keep, keepProgram, opened, recall, recallPrograms } from "./storage.ts";

export const form: HTMLFormElement = element<HTMLFormElement>("form");
const choice = element<HTMLSelectElement>("example");
const about = element<HTMLParagraphElement>("about");
const problem = element<HTMLParagraphElement>("problem");
const chooser = element<HTMLInputElement>("file");
const args = element<HTMLInputElement>("args");
const limit = element<HTMLInputElement>("limit");
const kept = element<HTMLParagraphElement>("kept");
const resetButton = element<HTMLButtonElement>("reset");
const fileList = element<HTMLUListElement>("files");
const fileName = element<HTMLInputElement>("name");
const content = element<HTMLTextAreaElement>("content");
const contentLabel = element<HTMLLabelElement>("content-label");
const removeButton = element<HTMLButtonElement>("remove");
const stdin = element<HTMLTextAreaElement>("stdin");

/** Seconds that a program may run, unless the user says otherwise. */
const LIMIT = "60";
/** Milliseconds after the last edit until it is kept. */
const PAUSE = 250;

// the files

let files = new Map<string, Uint8Array>();
let selected: string | undefined;

function select(name: string | undefined): void {
  selected = name;
  const bytes = name === undefined ? undefined : files.get(name);
  const text = bytes && textOf(bytes);
  content.disabled = text === undefined;
  content.value = text ?? (bytes === undefined ? "" : `${bytes.length} bytes that are not text`);
  contentLabel.textContent = name === undefined ? "Content" : `Content of ${name}`;
  removeButton.disabled = name === undefined;
  fileList.replaceChildren(
    ...[...files.keys()].sort().map((path) => {
      const button = make("button", { type: "button", textContent: path });
      button.setAttribute("aria-pressed", String(path === name));
      button.onclick = () => {
        select(path);
        fileList.querySelector<HTMLElement>("[aria-pressed=true]")?.focus();
      };
      return make("li", {}, button);
    }),
  );
}

content.oninput = () => {
  if (selected !== undefined) files.set(selected, bytesOf(content.value));
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
  fileName.setCustomValidity(name === undefined ? "Give a name such as new/file.txt." : "");
  if (!fileName.reportValidity() || name === undefined) return;
  if (!files.has(name)) files.set(name, new Uint8Array(0));
  fileName.value = "";
  select(name);
  content.focus();
  edited();
};

fileName.oninput = () => fileName.setCustomValidity("");
fileName.onkeydown = (event) => {
  if (event.key !== "Enter" || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  element("add").click();
};

removeButton.onclick = () => {
  if (selected !== undefined) files.delete(selected);
  select([...files.keys()].sort()[0]);
  edited();
};

/** Takes the files that a program left, into the form of that program; false if it is gone. */
export function takeFiles(left: Map<string, Uint8Array>, of: Example): boolean {
  const program = programs.find((each) => keyOf(each) === keyOf(of));
  if (program === undefined) return false;
  if (program !== current) show(program);
  files = new Map(left);
  select(selected !== undefined && files.has(selected) ? selected : [...files.keys()].sort()[0]);
  save();
  return true;
}

// edits

/** The form of one program, as it is kept: a file is text, or the numbers of its bytes. */
interface Draft {
  args: string;
  stdin: string;
  limit: string;
  files: Record<string, string | number[]>;
}

function isDraft(value: unknown): value is Draft {
  const { args, stdin, limit, files } = (value ?? {}) as Partial<Draft>;
  return [args, stdin, limit].every((text) => typeof text === "string") &&
    typeof files === "object" && files !== null;
}

const originalOf = ({ args, stdin, files }: Example): Draft => ({
  args,
  stdin,
  limit: LIMIT,
  files,
});

function draft(): Draft {
  const all = [...files].map(([path, bytes]) => [path, textOf(bytes) ?? [...bytes]] as const);
  return {
    args: args.value,
    stdin: stdin.value,
    limit: limit.value,
    files: Object.fromEntries(all),
  };
}

const text = ({ args, stdin, limit, files }: Draft): string =>
  JSON.stringify([args, stdin, limit, Object.entries(files).sort()]);

let pause: ReturnType<typeof setTimeout> | undefined;

/** Keeps the edits of the program that is shown, or nothing if it is as it was. */
function save(): void {
  clearTimeout(pause);
  pause = undefined;
  const now = draft();
  const changed = text(now) !== text(originalOf(current));
  const done = keep(keyOf(current), changed ? now : undefined);
  kept.textContent = !changed
    ? ""
    : done
    ? "Your changes are kept in this browser."
    : "Your changes cannot be kept: this browser does not store them.";
  resetButton.disabled = !changed && !isOwn(current);
}

function edited(): void {
  clearTimeout(pause);
  pause = setTimeout(save, PAUSE);
}

form.addEventListener("input", ({ target }) => {
  if (target !== choice && target !== fileName) edited();
});
addEventListener("pagehide", () => pause !== undefined && save());

// programs

const programs: Example[] = [...EXAMPLES];
let current: Example = programs[0]!;

const keyOf = ({ program, title }: Example): string => `${program} ${title}`;
const isOwn = ({ program }: Example): boolean => program.startsWith(OWN);

function fill({ args: line, stdin: input, limit: seconds, files: all }: Draft): void {
  [args.value, stdin.value, limit.value] = [line, input, seconds];
  files = new Map(
    Object.entries(all).map(([path, content]) => [
      path,
      typeof content === "string" ? bytesOf(content) : Uint8Array.from(content),
    ]),
  );
  select(Object.keys(all)[0]);
  save();
}

function show(chosen: Example): void {
  if (pause !== undefined) save();
  current = chosen;
  choice.value = `${programs.indexOf(chosen)}`;
  keep("chosen", keyOf(chosen));
  about.textContent = chosen.about;
  problem.textContent = "";
  resetButton.textContent = isOwn(chosen) ? "Remove program" : "Reset example";
  const draft = recall(keyOf(chosen));
  fill(isDraft(draft) ? draft : originalOf(chosen));
}

function list(): void {
  choice.replaceChildren(
    ...programs.map((each, i) =>
      make("option", { value: `${i}` }, isOwn(each) ? `Your program: ${each.title}` : each.title)
    ),
  );
}

function addOwn(name: string, { size }: Blob): Example {
  const program = OWN + name;
  const word = name.replace(/\.wasm$/, "");
  const example: Example = {
    title: name,
    about: `A file of yours with ${size.toLocaleString("en")} bytes. It is not uploaded.`,
    program,
    args: /^[\w.-]+$/.test(word) ? word : `'${word.replaceAll("'", "")}'`,
    stdin: "",
    files: {},
  };
  const known = programs.findIndex((each) => each.program === program);
  programs.splice(known < 0 ? programs.length : known, known < 0 ? 0 : 1, example);
  return example;
}

/** Opens a file as a program, or says why not. */
async function open(file: File): Promise<void> {
  const sentence = await problemOf(file);
  if (sentence === undefined) {
    await keepProgram(file.name, file);
    unload(OWN + file.name);
    const example = addOwn(file.name, file);
    list();
    show(example);
  }
  problem.textContent = sentence ?? "";
  choice.scrollIntoView({ block: "nearest" });
}

choice.onchange = () => show(programs[Number(choice.value)]!);

resetButton.onclick = async () => {
  const { title } = current;
  if (!isOwn(current)) {
    if (confirm(`Discard your changes to “${title}”?`)) fill(originalOf(current));
    return;
  }
  if (!confirm(`Remove “${title}” and its files from this page?`)) return;
  fill(originalOf(current));
  await forgetProgram(title);
  unload(current.program);
  programs.splice(programs.indexOf(current), 1);
  list();
  show(programs[0]!);
};

element("open").onclick = () => chooser.click();
chooser.onchange = () => {
  const file = chooser.files?.[0];
  if (file !== undefined) open(file);
  chooser.value = "";
};

const hasFiles = (event: DragEvent): boolean =>
  event.dataTransfer?.types.includes("Files") ?? false;

addEventListener("dragover", (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  document.body.dataset.drop = "";
});
addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) delete document.body.dataset.drop;
});
addEventListener("drop", (event) => {
  delete document.body.dataset.drop;
  if (!hasFiles(event)) return;
  event.preventDefault();
  const file = event.dataTransfer!.files[0];
  if (file !== undefined) open(file);
});

// the job

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

/** What to run: the program, what it gets, and for how many seconds it may run. */
export function asked(): { example: Example; job: Omit<Job, "module" | "trace">; limit: number } {
  const { env = {} } = current;
  const job = { args: split(args.value), env, stdin: stdin.value, files };
  return { example: current, job, limit: limit.value === "" ? Infinity : limit.valueAsNumber };
}

/** Shows what was shown last; a program of the user's as soon as it is found. */
export async function restore(): Promise<void> {
  const last = recall("chosen");
  const find = (): Example | undefined => programs.find((each) => keyOf(each) === last);
  list();
  show(find() ?? programs[0]!);
  await recallPrograms();
  for (const [name, file] of opened) addOwn(name, file);
  list();
  choice.value = `${programs.indexOf(current)}`;
  const found = find();
  if (found !== undefined && found !== current) show(found);
}
