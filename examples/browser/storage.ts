/** What is kept in this browser: the user's edits, and programs that the user opened. */

const NAME = "wasi-example";

/** A kept value, or undefined. */
export function recall(key: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(`${NAME}:${key}`) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}

/** Keeps a value, or removes it if it is undefined; tells whether that was possible. */
export function keep(key: string, value: unknown): boolean {
  try {
    if (value === undefined) localStorage.removeItem(`${NAME}:${key}`);
    else localStorage.setItem(`${NAME}:${key}`, JSON.stringify(value));
    return true;
  } catch {
    return false; // storage is full, or the user does not allow it
  }
}

/** The opened programs by name. The browser's cache has room for large ones. */
export const opened: Map<string, Blob> = new Map();

const address = (name: string): string => `/${NAME}/${encodeURIComponent(name)}`;

/** Fills `opened` with the programs of earlier visits. */
export async function recallPrograms(): Promise<void> {
  try {
    const cache = await caches.open(NAME);
    for (const request of await cache.keys()) {
      const name = decodeURIComponent(new URL(request.url).pathname.split("/").at(-1)!);
      opened.set(name, await (await cache.match(request))!.blob());
    }
  } catch {
    // no cache here: programs are opened for this visit
  }
}

export async function keepProgram(name: string, program: Blob): Promise<void> {
  opened.set(name, program);
  try {
    await (await caches.open(NAME)).put(address(name), new Response(program));
  } catch {
    // it is open for this visit
  }
}

export async function forgetProgram(name: string): Promise<void> {
  opened.delete(name);
  try {
    await (await caches.open(NAME)).delete(address(name));
  } catch {
    // it was open for this visit
  }
}
