/**
 * A server whose answers a program compiled to WebAssembly writes: the request's body is its
 * standard input, the response's body its standard output, both as streams.
 *
 *   bun add @x/wasi
 *   bun serve.ts tool.wasm          then: curl -d hello http://localhost:PORT
 *   bun serve.ts tool.wasm --once   asks itself once and ends
 */
import { run } from "@x/wasi";

const [file = "tool.wasm", once] = Bun.argv.slice(2);
const program = await WebAssembly.compile(await Bun.file(file).bytes());

const server = Bun.serve({
  port: 0,
  fetch(request) {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    run(program, {
      args: ["tool", "upper"],
      stdin: request.body ?? null,
      stdout: writable,
      signal: request.signal,
    }).catch((error) => console.error(String(error)));
    return new Response(readable);
  },
});

if (once === undefined) console.log(`listening on ${server.url}`);
else {
  const response = await fetch(server.url, { method: "POST", body: "hello" });
  console.log(response.status, await response.text());
  await server.stop(true);
}
// prints: 200 HELLO
