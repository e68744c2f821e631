/// <reference lib="dom" />
/** The page of examples/browser, in a frame of the size of a phone. */
import type { Case, Place } from "./cases.ts";
import { equal, matches } from "./check.ts";

export const exampleCases: Case[] = [];

/** The page: its elements by their ids, and what a user does. */
class Page {
  readonly frame: HTMLIFrameElement = document.createElement("iframe");

  get document(): Document {
    return this.frame.contentDocument!;
  }

  element<E extends HTMLElement = HTMLElement>(id: string): E {
    return this.document.getElementById(id) as E;
  }

  text(id: string): string {
    return this.element(id).textContent!;
  }

  async open(): Promise<void> {
    const prefix = location.pathname.startsWith("/plain/") ? "/plain" : "";
    this.frame.style.cssText = "width: 375px; height: 700px";
    this.frame.src = `${prefix}/examples/browser/`;
    document.body.append(this.frame);
    await this.until(() => this.document.body?.dataset.ready === "");
  }

  async reload(): Promise<void> {
    const before = this.document;
    this.frame.contentWindow!.location.reload();
    await this.until(() => this.document !== before && this.document.body?.dataset.ready === "");
  }

  async until(holds: () => boolean): Promise<void> {
    const end = performance.now() + 40_000;
    while (!holds()) {
      if (performance.now() > end) throw new Error(`in vain: ${holds}; ${this.text("status")}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  type(id: string, text: string): void {
    const field = this.element<HTMLInputElement>(id);
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  choose(title: string): void {
    const choice = this.element<HTMLSelectElement>("example");
    choice.value = [...choice.options].find(({ text }) => text === title)!.value;
    choice.dispatchEvent(new Event("change", { bubbles: true }));
  }

  async drop(name: string, content: BlobPart): Promise<void> {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([content], name));
    const about = this.text("about") + this.text("problem");
    this.document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true }));
    await this.until(() => this.text("about") + this.text("problem") !== about);
  }

  /** Runs to the end. */
  async run(): Promise<void> {
    this.element("run").click();
    await this.end();
  }

  async end(): Promise<void> {
    await this.until(() => this.element("line").dataset.state !== "busy");
  }
}

function test(name: string, places: readonly Place[], run: (page: Page) => Promise<void>): void {
  exampleCases.push({
    name: `example: ${name}`,
    places,
    run: async () => {
      localStorage.clear();
      for (const key of await caches.keys()) await caches.delete(key);
      const page = new Page();
      try {
        await page.open();
        await run(page);
      } finally {
        page.frame.remove();
      }
    },
  });
}

const ONE: readonly Place[] = ["page"];

async function guest(name: string): Promise<ArrayBuffer> {
  return await (await fetch(`/guests/${name}.wasm`)).arrayBuffer();
}

test(
  "runs its first program and shows what was downloaded",
  ["page", "plain page"],
  async (page) => {
    const measures: string[] = [];
    const observer = new MutationObserver(() => measures.push(page.text("measure")));
    observer.observe(page.element("measure"), { childList: true });
    await page.run();
    equal(page.text("status"), "Exit code 0");
    matches(page.text("measure"), /^\d+\.\d s$/);
    matches(page.text("output"), /22 words, 16 different ones\n/);
    matches(measures.join("\n"), /^\d+\.\d of \d+\.\d MB$/m);
    equal(page.element("progress").hidden, true);
    matches(page.text("output"), /read \/work\/texts\/one\.txt\n/);
    matches(page.text("changes"), /removedtexts\/draft\.txt.*addedout\/.*addedout\/words\.json/s);
    matches(page.text("calls"), /path_rename\(.*\) → SUCCESS/);
    page.element("keep").click();
    matches(page.text("files"), /out\/draft\.txt/);
  },
);

test("runs when Run is pressed as soon as the page is there", ONE, async (page) => {
  page.frame.contentWindow!.location.reload();
  await new Promise((resolve) => page.frame.onload = resolve);
  await page.run();
  equal(page.text("status"), "Exit code 0");
});

test("a download can be stopped", ONE, async (page) => {
  page.element("run").click();
  equal(page.text("status"), "Loading");
  page.element("stop").click();
  equal(page.text("status"), "Stopped while loading");
  await page.run();
  equal(page.text("status"), "Exit code 0");
});

test("a dropped program runs, and is there after a reload", ONE, async (page) => {
  await page.drop("my tool.wasm", await guest("tool"));
  equal(page.element<HTMLInputElement>("args").value, "'my tool'");
  page.type("args", "tool upper");
  page.type("stdin", "dropped");
  await page.run();
  equal([page.text("status"), page.text("output")], ["Exit code 0", "DROPPED"]);
  await page.reload();
  await page.run();
  equal([page.text("status"), page.text("output")], ["Exit code 0", "DROPPED"]);
  page.frame.contentWindow!.confirm = () => true;
  page.element("reset").click();
  await page.until(() => !page.text("example").includes("my tool"));
  await page.reload();
  equal(page.text("example").includes("my tool"), false, "it is still there");
});

test("a chosen file is opened as a dropped one", ONE, async (page) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([await guest("tool")], "tool.wasm"));
  const chooser = page.element<HTMLInputElement>("file");
  chooser.files = transfer.files;
  chooser.dispatchEvent(new Event("change"));
  await page.until(() => page.text("example").includes("Your program: tool.wasm"));
  equal(page.element<HTMLInputElement>("args").value, "tool");
});

test("files of a run go to the form of its program", ONE, async (page) => {
  page.choose("A small tool in C: capitals");
  page.type("args", "tool write /work/note.txt changed");
  await page.run();
  page.choose("ripgrep: search files");
  page.element("keep").click();
  equal(page.element<HTMLInputElement>("args").value, "tool write /work/note.txt changed");
  equal(page.element<HTMLInputElement>("content").value, "changed");
  page.choose("ripgrep: search files");
  matches(page.text("files"), /hello\.txt/);
});

test("a file that is not a module gets one sentence", ONE, async (page) => {
  const args = page.element<HTMLInputElement>("args").value;
  await page.drop("notes.txt", "hello");
  equal(page.text("problem"), "notes.txt is not a WebAssembly file.");
  const component = Uint8Array.of(0, 97, 115, 109, 13, 0, 1, 0);
  await page.drop("part.wasm", component);
  matches(page.text("problem"), /^part\.wasm is a WebAssembly component; [^.]*\.$/);
  await page.drop("cut.wasm", (await guest("tool")).slice(0, 100));
  matches(page.text("problem"), /^cut\.wasm is not a valid WebAssembly module \(/);
  equal(page.element<HTMLInputElement>("args").value, args);
});

test("a loop is stopped, by the button and by the time limit", ONE, async (page) => {
  page.choose("CPython: never ends");
  page.element("run").click();
  await page.until(() => page.text("output").includes("turns"));
  equal(page.text("status"), "Running");
  page.element("stop").click();
  equal([page.text("status"), page.element("line").dataset.state], ["Stopped", "stopped"]);
  const stopped = page.text("output");
  await new Promise((resolve) => setTimeout(resolve, 500));
  equal(page.text("output"), stopped);
  page.type("limit", "0.5");
  await page.run();
  equal(page.text("status"), "Timed out after 0.5 s");
});

test("a trap and an exit code are told apart", ONE, async (page) => {
  await page.drop("trap.wasm", await guest("trap"));
  await page.run();
  equal(page.text("status"), "Trapped: unreachable");
  page.choose("A small tool in C: capitals");
  page.type("args", "tool list /nowhere");
  await page.run();
  matches(page.text("status"), /^Exit code [1-9]/);
  equal(page.element("line").dataset.state, "bad");
});

test("nothing was written is said of a run alone", ONE, async (page) => {
  const empty = (): string => page.element("output").dataset.empty!;
  matches(empty(), /^Run the program/);
  page.choose("A small tool in C: capitals");
  page.type("stdin", "");
  page.element("run").click();
  equal(empty(), "No output yet.");
  await page.end();
  equal([page.text("output"), empty()], ["", "Nothing was written."]);
});

test("edits outlive another example and a reload, until they are reset", ONE, async (page) => {
  const value = (id: string): string => page.element<HTMLInputElement>(id).value;
  const original = value("content");
  page.type("content", "print('edited')");
  page.type("name", "data/new.txt");
  page.element("add").click();
  page.choose("ripgrep: search files");
  page.choose("CPython: count words");
  equal(value("content"), "print('edited')", "after another example");
  await page.reload();
  equal(value("content"), "print('edited')", "after a reload");
  matches(page.text("files"), /data\/new\.txt/);
  matches(page.text("kept"), /kept/);
  let asked = 0;
  page.frame.contentWindow!.confirm = () => ++asked > 1;
  page.element("reset").click();
  equal(value("content"), "print('edited')", "after “cancel”");
  page.element("reset").click();
  equal([asked, value("content"), page.text("kept")], [2, original, ""]);
});

test("the keyboard reaches Run early, and runs from the editor", ONE, async (page) => {
  const stops = [...page.document.querySelectorAll<HTMLElement>("a, button, input, select")];
  equal(stops.findIndex(({ id }) => id === "run") <= 1, true, "Run is among the first");
  matches(page.text("keys"), /^(Ctrl|Cmd)\+Enter$/);
  page.choose("A small tool in C: capitals");
  const content = page.element("content");
  content.focus();
  const key = { key: "Enter", ctrlKey: true, bubbles: true, cancelable: true };
  content.dispatchEvent(new KeyboardEvent("keydown", key));
  equal(page.element("line").dataset.state, "busy");
  await page.end();
  equal(page.text("output"), "HELLO FROM THE PAGE\n");
});

test("fits a phone, and its line does not jump", ONE, async (page) => {
  const heights = new Set<number>();
  const wide: string[] = [];
  const look = (): void => {
    heights.add(page.element("bar").getBoundingClientRect().height);
    const { scrollWidth, clientWidth } = page.document.documentElement;
    if (scrollWidth > clientWidth) wide.push(page.text("status"));
  };
  look();
  const observer = new MutationObserver(look);
  observer.observe(page.element("line"), { childList: true, subtree: true, attributes: true });
  await page.run();
  await page.drop("trap.wasm", await guest("trap"));
  await page.run();
  look();
  equal(heights.size, 1, "heights of the bar");
  equal(wide, [], "wider than the frame");
});
