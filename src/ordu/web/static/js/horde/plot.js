// Plots: the same drawing as web/plots.py makes, from the same values. Times are in seconds since 1970.
import { svg } from "../dom.js";

const [LEFT, RIGHT, TOP, BOTTOM] = [48, 486, 10, 172];
const TICKS = 5;
const LINES_MIN = 2;
const STEPS = [1, 2, 2.5, 5, 10];
const SMALLEST = 1e-6; // less than that is nothing
const TOGETHER = 2.5; // points that are at most so many steps apart are joined

/** A drawing of `values` and `earlier`, lists of `{atS, value}`, oldest first. */
export function plot(values, earlier, { sinceS, untilS, stepS, earlierStepS = stepS, isWhole = false }) {
  const highest = Math.max(0, ...values.map((each) => each.value), ...earlier.map((each) => each.value));
  const interval = intervalOf(highest, isWhole);
  const top = interval * Math.max(LINES_MIN, Math.ceil(highest / interval));
  const frame = {
    x: (atS) => rounded(LEFT + (RIGHT - LEFT) * Math.min(1, Math.max(0, (atS - sinceS) / Math.max(1, untilS - sinceS)))),
    y: (value) => rounded(BOTTOM - ((BOTTOM - TOP) * value) / top),
  };
  const pieces = joined(values, stepS);
  const last = values.at(-1);
  return {
    levels: Array.from({ length: Math.round(top / interval) + 1 }, (_, level) => [level * interval, frame.y(level * interval)]),
    moments: Array.from({ length: TICKS }, (_, part) => sinceS + ((untilS - sinceS) * part) / (TICKS - 1)).map((atS) => [atS, frame.x(atS)]),
    line: linesOf(frame, pieces),
    area: areasOf(frame, pieces),
    earlier: linesOf(frame, joined(earlier, earlierStepS)),
    end: last ? [frame.x(last.atS), frame.y(last.value)] : null,
  };
}

/** How far apart the grid lines are, so that there are three or four of them. */
function intervalOf(highest, isWhole) {
  if (highest < SMALLEST) return 1;
  const rough = highest / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const found = STEPS.map((step) => step * power).find((step) => step >= rough * 0.999);
  return isWhole ? Math.max(1, Math.ceil(found)) : found;
}

/** The values in pieces: a new one begins where something between is not known. */
function joined(values, stepS) {
  const pieces = [];
  for (const value of values) {
    const last = pieces.at(-1)?.at(-1);
    if (last && value.atS - last.atS <= stepS * TOGETHER) pieces.at(-1).push(value);
    else pieces.push([value]);
  }
  return pieces;
}

const linesOf = (frame, pieces) => pieces.map((piece) => `M${track(frame, piece)}${piece.length === 1 ? "h0" : ""}`).join("");
const areasOf = (frame, pieces) => pieces.filter((piece) => piece.length > 1).map((piece) => `M${track(frame, piece)}V${BOTTOM}H${frame.x(piece[0].atS)}z`).join("");
const track = (frame, piece) => piece.map((each) => `${frame.x(each.atS)} ${frame.y(each.value)}`).join(" ");
const rounded = (number) => Math.round(number * 10) / 10;

/** Put a drawing into an SVG element; `level` and `moment` write what stands beside the axes, `last` at the end of the line. */
export function draw(paper, drawn, { level, moment, last }) {
  const anchor = (index) => (index === 0 ? "start" : index === drawn.moments.length - 1 ? "end" : "middle");
  const axis = (x, y, at, text, kind = "axis") => svg("text", { class: kind, x, y, "text-anchor": at }, text);
  paper.replaceChildren(
    ...drawn.levels.flatMap(([value, y]) => [svg("path", { class: "gridline", d: `M${LEFT} ${y}H${RIGHT}` }), axis(LEFT - 8, y + 5, "end", level(value))]),
    ...drawn.moments.map(([atS, x], index) => axis(x, BOTTOM + 26, anchor(index), moment(atS), index % 2 ? "axis between" : "axis")),
    svg("path", { class: "area", d: drawn.area }),
    svg("path", { class: "series old", d: drawn.earlier }),
    svg("path", { class: "series", d: drawn.line }),
    ...(drawn.end ? [svg("circle", { class: "dot", cx: drawn.end[0], cy: drawn.end[1], r: 4 }), svg("text", { class: "endv", x: drawn.end[0] + 10, y: drawn.end[1] + 5 }, last)] : []),
  );
}
