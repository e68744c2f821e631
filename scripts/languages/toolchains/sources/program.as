// AssemblyScript, with the console, files of none, and a process that exits.
function fib(n: i32): i64 {
  return n < 2 ? i64(n) : fib(n - 1) + fib(n - 2);
}
const map = new Map<string, i32>();
map.set("ä", 1);
map.set("b", 2);
console.log("fib(20) = " + fib(20).toString());
console.log(map.keys().join(",") + " " + Math.sqrt(2).toString());
console.log([3, 1, 2].sort().map<string>((n: i32) => n.toString()).join("-"));
process.exit(map.size + 1);
