// A small line chart in SVG: latency over the time of a run. Colours come from the style sheet.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 480;
const HEIGHT = 150;
const LEFT = 52;
const BOTTOM = 20;
const TOP = 8;

function add(parent, name, attributes, text) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  parent.append(node);
  return node;
}

// The smallest of 1, 2, 5 times a power of ten that is not below the value.
function ceiling(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value * 0.999);
}

// series: [{name, points: [{at, p50, p99}]}]; each gets a line for p50 and a band up to p99. until: ms on the time axis.
export function drawChart(host, series, until) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", "Latency over the time of the burst: lines are medians, bands reach to the 99th percentile");
  const highest = Math.max(...series.flatMap(({ points }) => points.map((point) => point.p99)), 1);
  const top = ceiling(highest);
  const x = (at) => LEFT + ((WIDTH - LEFT - 4) * at) / until;
  const y = (ms) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - ms / top);

  const [unit, scale] = top >= 1000 ? ["s", 1000] : ["ms", 1];
  for (const part of [0, 0.5, 1]) {
    add(svg, "line", { class: "grid", x1: LEFT, x2: WIDTH - 4, y1: y(part * top), y2: y(part * top) });
    add(svg, "text", { x: LEFT - 6, y: y(part * top) + 4, "text-anchor": "end" }, `${(part * top) / scale}${part === 1 ? ` ${unit}` : ""}`);
  }
  add(svg, "text", { x: LEFT, y: HEIGHT - 4 }, "0 s");
  add(svg, "text", { x: WIDTH - 4, y: HEIGHT - 4, "text-anchor": "end" }, `${(until / 1000).toFixed(1)} s`);
  for (const { name, points } of series) {
    if (points.length === 0) continue;
    const there = points.map(({ at, p99 }) => `${x(at).toFixed(1)},${y(p99).toFixed(1)}`);
    const back = points.map(({ at, p50 }) => `${x(at).toFixed(1)},${y(p50).toFixed(1)}`);
    add(svg, "polygon", { class: `band ${name}`, points: [...there, ...back.toReversed()].join(" ") });
    add(svg, "polyline", { class: `line ${name}`, points: back.join(" ") });
  }
  host.replaceChildren(svg);
}
