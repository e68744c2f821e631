/** Draws ratios as bars: each row a call or program, each runtime a bar; shorter is faster. */

const COLOURS = { node26: "#3c873a", deno: "#4b5563", bun: "#d97757" };
const NAMES = { node26: "Node 26", deno: "Deno", bun: "Bun" };
const LEFT = 250;
const WIDTH = 760;
const SCALE = 200; // pixels for a ratio of 1
const BAR = 6;

function escape(text) {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
}

function rowsOf(results) {
  const rows = new Map();
  for (const [runtime, { calls, programs }] of Object.entries(results)) {
    for (const { name, ours, builtin } of [...calls, ...programs]) {
      if (!rows.has(name)) rows.set(name, {});
      if (builtin !== undefined) rows.get(name)[runtime] = ours / builtin;
    }
  }
  return rows;
}

/** The chart as SVG. */
export function draw(results) {
  const rows = rowsOf(results);
  const height = 70 + rows.size * (3 * BAR + 10);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="10" y="22" font-size="15" fill="#111">Time against the runtime's own node:wasi (shorter is faster)</text>`,
  ];
  Object.entries(NAMES).forEach(([runtime, name], i) => {
    const x = LEFT + i * 90;
    parts.push(`<rect x="${x}" y="34" width="10" height="10" fill="${COLOURS[runtime]}"/>`);
    parts.push(`<text x="${x + 14}" y="43" fill="#111">${name}</text>`);
  });
  let y = 60;
  for (const [name, ratios] of rows) {
    parts.push(
      `<text x="${LEFT - 8}" y="${y + 14}" text-anchor="end" fill="#111">${escape(name)}</text>`,
    );
    Object.keys(NAMES).forEach((runtime, i) => {
      const value = ratios[runtime];
      if (value === undefined) return;
      const width = Math.max(1, Math.min(value * SCALE, WIDTH - LEFT - 50));
      const top = y + i * BAR;
      parts.push(
        `<rect x="${LEFT}" y="${top}" width="${width.toFixed(1)}" height="${BAR - 1}" fill="${
          COLOURS[runtime]
        }"/>`,
      );
      parts.push(
        `<text x="${(LEFT + width + 3).toFixed(1)}" y="${
          top + BAR - 1
        }" font-size="7" fill="#444">${value.toFixed(2)}</text>`,
      );
    });
    y += 3 * BAR + 10;
  }
  parts.push(
    `<line x1="${LEFT + SCALE}" y1="52" x2="${
      LEFT + SCALE
    }" y2="${y}" stroke="#999" stroke-dasharray="3 3"/>`,
  );
  parts.push("</svg>\n");
  return parts.join("\n");
}
