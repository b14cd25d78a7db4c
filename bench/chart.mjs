// A chart of the figures: for each, how far it is from its goal, on a logarithmic scale. Right of the line is better.

const ROW = 16;
const LABEL = 330;
const WIDTH = 900;
const DECADES = 2;

/** How many times better than the goal. */
function margin({ measured, goal }) {
  const [sign, bound] = goal.split(" ");
  return sign === "<=" ? Number(bound) / measured : measured / Number(bound);
}

function escape(text) {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
}

export function chart(rows) {
  const judged = rows.filter(({ met }) => met !== undefined);
  const middle = LABEL + (WIDTH - LABEL) / 2;
  const scale = (WIDTH - LABEL) / 2 / DECADES - 10;
  const titles = [...new Set(judged.map(({ title }) => title))];
  const lines = [];
  let y = 34;
  for (const title of titles) {
    lines.push(`<text x="8" y="${y + 11}" font-weight="bold">${escape(title)}</text>`);
    y += ROW + 2;
    for (const row of judged.filter((each) => each.title === title)) {
      const log = Math.max(-DECADES, Math.min(DECADES, Math.log10(margin(row))));
      const length = Math.max(1, Math.abs(log) * scale);
      const peer = row.peer === undefined ? "" : ` / ${row.peer.name}`;
      lines.push(
        `<text x="16" y="${y + 11}">${escape(row.figure + peer)}</text>`,
        `<rect x="${(log < 0 ? middle - length : middle).toFixed(1)}" y="${y + 2}" width="${length.toFixed(1)}" height="${ROW - 5}" fill="${row.met ? "#2a9d5c" : "#d1495b"}"/>`,
      );
      y += ROW;
    }
    y += 6;
  }
  const ticks = [-2, -1, 0, 1, 2].map((decade) => {
    const x = middle + decade * scale;
    const label = decade === 0 ? "goal" : decade > 0 ? `${10 ** decade}× better` : `${10 ** -decade}× worse`;
    return `<line x1="${x}" x2="${x}" y1="26" y2="${y}" stroke="${decade === 0 ? "#333" : "#ddd"}"/><text x="${x}" y="18" text-anchor="middle">${label}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y + 8}" font-family="sans-serif" font-size="11">
<rect width="100%" height="100%" fill="#fff"/>
${ticks.join("\n")}
${lines.join("\n")}
</svg>
`;
}
