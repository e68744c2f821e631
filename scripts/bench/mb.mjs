import process from "node:process";
process.removeAllListeners("warning");
const [dir, mod, rounds = "7", only, extra = "{}"] = process.argv.slice(2);
const { measureCalls } = await import("./calls.ts");
const { WASI } = await import(mod);
const B = (await import("node:wasi")).WASI;
const rows = await measureCalls(WASI, B, {
  rounds: Number(rounds),
  only: only && new RegExp(only),
  extra: JSON.parse(extra),
});
let g = 0, n = 0;
for (const r of rows) {
  console.log(
    r.name.padEnd(30),
    r.ours.toFixed(0).padStart(8),
    (r.builtin ?? NaN).toFixed(0).padStart(8),
    (r.raw ?? NaN).toFixed(0).padStart(8),
    (r.ours / r.builtin).toFixed(2).padStart(6),
    (r.ours / r.raw).toFixed(2).padStart(6),
  );
  if (r.builtin) {
    g += Math.log(r.ours / r.builtin);
    n++;
  }
}
console.log("geomean", Math.exp(g / n).toFixed(3));
