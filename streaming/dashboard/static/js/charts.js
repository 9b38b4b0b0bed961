// Time lines by uPlot, histograms and small courses as SVG. Colours are those of the style sheet.
import { h, svg } from "./dom.js";
import * as format from "./format.js";
import { t } from "./i18n.js";

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const DAY = 86_400_000;

const axis = (extra) => ({
  stroke: colour("muted"),
  grid: { stroke: colour("line"), width: 1 },
  ticks: { show: false },
  font: "12px system-ui, sans-serif",
  ...extra,
});

// A chart that fits its frame and can be given new data; `close` lets go of everything.
export class TimeChart {
  constructor(label, series, { rightAxis = false, height = 240 } = {}) {
    this.frame = h("div", { class: "chart", role: "img", "aria-label": label });
    this.shown = { series, rightAxis, height };
    this.plot = null;
    this.step = 0;
    this.told = [];
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(this.frame);
  }

  // `told` is what the legend says where values are drawn on top of each other.
  set(times, values, step, told = values) {
    this.told = told;
    const data = [times.map((ms) => ms / 1000), ...values];
    if (this.plot && this.step === step) this.plot.setData(data);
    else this.draw(data, step);
  }

  draw(data, step) {
    this.plot?.destroy();
    this.step = step;
    const { series, rightAxis, height } = this.shown;
    const wide = Math.max(this.frame.clientWidth, 200);
    const bars = window.uPlot.paths.bars({ size: [0.8, 48], align: 1 });
    const whole = (values) => values.map((value) => (Number.isInteger(value) ? format.count(value) : ""));
    this.plot = new window.uPlot({
      width: wide,
      height,
      cursor: { y: false, points: { size: 7 } },
      legend: { live: true },
      scales: { y: { range: (_, __, high) => [0, Math.max(high, 1) * 1.08] }, rate: { range: [0, 1] } },
      axes: [
        axis({ space: 64, values: (_, ticks, __, ___, gap) => ticks.map((s) => (gap >= 86400 ? format.day(s * 1000) : format.clock(s * 1000))) }),
        axis({ size: 52, values: (_, ticks) => whole(ticks) }),
        ...(rightAxis ? [axis({ scale: "rate", side: 1, size: 52, grid: { show: false }, values: (_, ticks) => ticks.map((each) => format.percent(each, 0)) })] : []),
      ],
      series: [
        { label: t("time"), value: (_, s) => (s === null ? "–" : step >= DAY ? format.day(s * 1000) : format.moment(s * 1000)) },
        ...series.map((each) => ({
          label: each.label,
          scale: each.rate ? "rate" : "y",
          stroke: colour(each.colour),
          fill: each.rate ? undefined : colour(each.colour),
          width: each.rate ? 2.4 : 0,
          paths: each.rate ? undefined : bars,
          points: { show: each.rate ? undefined : false, size: 4, fill: colour("surface") },
          value: (_, __, place, at) => {
            const value = at === null || at === undefined ? null : this.told[place - 1][at];
            return value === null || value === undefined ? "–" : each.rate ? format.percent(value) : format.count(value);
          },
        })),
      ],
    }, data, this.frame);
  }

  fit() {
    const wide = this.frame.clientWidth;
    if (this.plot && wide > 0 && Math.abs(wide - this.plot.width) > 1) this.plot.setSize({ width: wide, height: this.shown.height });
  }

  close() {
    this.observer.disconnect();
    this.plot?.destroy();
  }
}

// Bars over whole numbers: groups of {name, css, values}, stacked; `mark` is a place of a line.
// Heights go with the square root, so that few are seen beside many.
export function histogram(label, groups, { mark = null, tick = (at) => String(at), ticks = [] } = {}) {
  const length = groups[0].values.length;
  const totals = Array.from({ length }, (_, at) => groups.reduce((sum, group) => sum + group.values[at], 0));
  const most = Math.max(1, ...totals);
  const [wide, high] = [640, 160];
  const unit = wide / length;
  const bars = [];
  for (let at = 0; at < length; at += 1) {
    let top = high;
    for (const group of groups) {
      const size = totals[at] && (group.values[at] / totals[at]) * Math.sqrt(totals[at] / most) * (high - 10);
      if (!size) continue;
      top -= size;
      bars.push(svg("rect", { x: at * unit + unit * 0.08, y: top, width: unit * 0.84, height: size, class: group.css },
        svg("title", null, `${tick(at)}: ${group.name} ${format.count(group.values[at])}`)));
    }
  }
  const drawn = svg("svg", { viewBox: `0 0 ${wide} ${high}`, class: "histogram", role: "img", "aria-label": label, preserveAspectRatio: "none" },
    svg("defs", null, svg("pattern", { id: "hatch", width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
      svg("rect", { width: 2.2, height: 5, class: "hatch" }))),
    svg("line", { x1: 0, x2: wide, y1: high, y2: high, class: "base" }),
    bars,
    mark !== null && svg("line", { x1: mark * unit, x2: mark * unit, y1: 0, y2: high, class: "mark" }));
  const place = (at) => ({ left: `${(100 * (at + 0.5)) / length}%` });
  return [drawn, h("div", { class: "ticks", "aria-hidden": "true" }, ticks.map((at) => h("span", { style: place(at) }, tick(at))))];
}

// The course of a rate in a table's cell; steps without articles are gaps.
export function course(parts, wholes) {
  const [wide, high] = [120, 26];
  const gap = wide / Math.max(1, parts.length - 1);
  const runs = [];
  let run = [];
  parts.forEach((part, at) => {
    if (wholes[at]) run.push(`${(at * gap).toFixed(1)},${(high - 2 - (part / wholes[at]) * (high - 4)).toFixed(1)}`);
    else if (run.length) {
      runs.push(run);
      run = [];
    }
  });
  if (run.length) runs.push(run);
  return svg("svg", { viewBox: `0 0 ${wide} ${high}`, class: "course", "aria-hidden": "true" },
    runs.map((each) => each.length > 1
      ? svg("polyline", { points: each.join(" ") })
      : svg("circle", { cx: each[0].split(",")[0], cy: each[0].split(",")[1], r: 1.6 })));
}
