/** The Test Anything Protocol. */

/** What came of the tests of a program that has written `text` and ended with `code`. */
export function readTap({ code, text }) {
  const failed = [];
  let passed = 0;
  let skipped = 0;
  let planned;
  let said = [];
  for (const line of text.split("\n")) {
    const plan = /^1\.\.(\d+)(.*)/.exec(line);
    if (plan !== null) planned = Number(plan[1]);
    const result = /^(not )?ok\b *(\d*) *(?:- *)?(.*?)(?:#\s*(skip|todo)\b.*)?$/i.exec(line);
    if (result === null) {
      said.push(line);
      if (failed.length > 0 && line.startsWith("#")) failed.at(-1).text += `${line}\n`;
      continue;
    }
    const [, not, number, name, directive] = result;
    if (directive?.toLowerCase() === "skip") skipped++;
    else if (not === undefined || directive !== undefined) passed++;
    else failed.push({ name: `${number} ${name}`.trim(), text: `${said.slice(-12).join("\n")}\n` });
    said = [];
  }
  if (planned === 0) skipped++;
  const ran = passed + skipped + failed.length;
  if (planned === undefined || ran < planned || (code !== 0 && failed.length === 0)) {
    const end = text.trim().split("\n").slice(-15).join("\n");
    failed.push({ name: "(all)", text: `${ran} of ${planned}, ended with ${code}\n${end}` });
  }
  return { passed, skipped, failed };
}
