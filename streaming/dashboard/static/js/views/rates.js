// Dedup rates over time and by group, and what another threshold would make of them.
import { query } from "../api.js";
import { course, histogram, TimeChart } from "../charts.js";
import { card, h, replace, table } from "../dom.js";
import * as format from "../format.js";
import { t, word } from "../i18n.js";
import { named, picker, RANGES } from "../parts.js";

const FAST_MS = 5000;
const SLOW_MS = 60_000;
const DAY = 86_400_000;
const LOWEST = 30;

export class RatesView {
  constructor({ parameters }) {
    this.parameters = parameters;
    this.range = RANGES.includes(parameters.range) ? parameters.range : "24h";
    this.by = parameters.by === "source" ? "source" : "channel";
    this.every = ["15m", "1h", "6h"].includes(this.range) ? FAST_MS : SLOW_MS;
    const asked = Number(parameters.t);
    this.threshold = asked >= LOWEST && asked <= 100 ? asked : null;
    this.element = h("div", { class: "stack" });
    this.reset();
  }

  reset() {
    this.over = null;
    this.tiers = null;
    this.tierNames = "";
    this.built = false;
  }

  title() {
    return t("rates");
  }

  path() {
    return `rates${query({ range: this.range, by: this.by, end: this.parameters.end })}`;
  }

  close() {
    this.over?.close();
    this.tiers?.close();
  }

  build() {
    this.built = true;
    this.over = new TimeChart(t("over_time"), [
      { label: t("articles"), colour: "articles" }, { label: t("repeats"), colour: "repeats" }, { label: t("rate"), colour: "ink", rate: true },
    ], { rightAxis: true, height: 260 });
    this.parts = Object.fromEntries(["notice", "overNote", "overTable", "groups", "tierChart", "distances", "scores", "answer"].map((name) => [name, h("div")]));
    this.parts.answer.setAttribute("aria-live", "polite");
    this.slider = h("input", { type: "range", id: "threshold", min: LOWEST, max: 100, step: 1, "data-key": "threshold", on: { input: () => this.what() } });
    replace(this.element,
      h("div", { class: "row" },
        picker(t("range"), "rates", "range", RANGES, this.parameters, "24h"),
        picker(t("by"), "rates", "by", ["channel", "source"], this.parameters, "channel")),
      this.parts.notice,
      card(t("over_time"), this.parts.overNote, this.over.frame, this.parts.overTable),
      card(t(this.by === "channel" ? "by_channel" : "by_source"), this.parts.groups),
      h("div", { class: "columns" },
        card(t("tiers"), h("p", { class: "note" }, t("tiers_note")), this.parts.tierChart),
        card(t("distances"), h("p", { class: "note" }, t("distances_note")), this.parts.distances)),
      card(t("scores"), h("p", { class: "note" }, t("scores_note")), this.parts.scores,
        h("div", { class: "row slider" }, h("label", { for: "threshold" }, t("threshold")), this.slider),
        this.parts.answer, h("p", { class: "note" }, t("whatif_limits"))));
  }

  show(found) {
    if (!this.built) this.build();
    this.found = found;
    const whole = found.articles.reduce((a, b) => a + b, 0);
    const flagged = found.repeats.reduce((a, b) => a + b, 0);
    this.whole = whole;
    replace(this.parts.notice, found.moved && h("p", { class: "notice" }, t("moved", format.moment(found.to_ms))));
    replace(this.parts.overNote, h("p", { class: "note" }, t("over_time_note", format.count(whole), format.count(flagged), format.share(flagged, whole))));
    this.over.set(found.times, [found.articles, found.repeats, found.articles.map((all, at) => (all ? found.repeats[at] / all : null))], found.step_ms);
    replace(this.parts.overTable, steps(found));
    replace(this.parts.groups, groups(found, this.by));
    this.showTiers(found);
    replace(this.parts.distances, distances(found.distances));
    if (this.threshold === null) this.threshold = Math.round(found.threshold * 100);
    this.slider.value = this.threshold;
    this.what(false);
  }

  showTiers(found) {
    const names = Object.keys(found.tiers);
    if (names.join() !== this.tierNames) {
      this.tiers?.close();
      this.tierNames = names.join();
      this.tiers = new TimeChart(t("tiers"), [...names].reverse().map((name) => ({ label: word("tier_", name), colour: `tier-${name}` })), { height: 180 });
      replace(this.parts.tierChart, names.length ? this.tiers.frame : h("p", { class: "note" }, "–"));
    }
    if (!names.length) return;
    const sums = found.times.map(() => 0);
    const stacked = names.map((name) => found.tiers[name].map((value, at) => (sums[at] += value)));
    this.tiers.set(found.times, stacked.reverse(), found.step_ms, names.map((name) => found.tiers[name]).reverse());
  }

  // Show the histogram and the answer for the slider's place; `moved` by the user.
  what(moved = true) {
    const at = Number(this.slider.value);
    this.threshold = at;
    const { flagged, refused, fixed } = this.found.scores;
    const above = (counts) => counts.slice(at).reduce((a, b) => a + b, 0);
    const now = flagged.reduce((a, b) => a + b, 0) + fixed;
    const then = above(flagged) + above(refused) + fixed;
    replace(this.parts.scores, histogram(t("scores"), [
      { name: t("flagged"), css: "repeats", values: flagged }, { name: t("refused"), css: "refused", values: refused },
    ], { mark: at, tick: (place) => format.fixed(place / 100), ticks: [0, 20, 40, 60, 80, 100] }),
    h("div", { class: "legend" }, h("span", { class: "key repeats" }), t("flagged"), h("span", { class: "key refused" }), t("refused")));
    const change = then - now;
    this.slider.setAttribute("aria-valuetext", format.fixed(at / 100));
    this.parts.answer.replaceChildren(h("p", { class: "answer", id: "whatif" }, t("whatif", format.fixed(at / 100),
      format.share(then, this.whole), format.share(now, this.whole), `${change > 0 ? "+" : change < 0 ? "−" : "±"}${format.count(Math.abs(change))}`)));
    if (moved) history.replaceState(null, "", `#/rates${query({ ...this.parameters, t: at })}`);
    if (moved) this.parameters.t = String(at);
  }
}

function steps(found) {
  const name = found.step_ms >= DAY ? format.day : format.moment;
  const rows = found.times.map((time, at) => [time, at]).reverse().filter(([, at]) => found.articles[at]).map(([time, at]) =>
    h("tr", null, h("th", { scope: "row" }, name(time)), h("td", { class: "number" }, format.count(found.articles[at])),
      h("td", { class: "number" }, format.count(found.repeats[at])), h("td", { class: "number" }, format.share(found.repeats[at], found.articles[at]))));
  return h("details", { "data-key": "steps" }, h("summary", null, t("as_table")),
    table([t("time"), { text: t("articles"), number: true }, { text: t("repeats"), number: true }, { text: t("rate"), number: true }], rows, t("over_time")));
}

function groups(found, by) {
  const most = Math.max(1, ...found.groups.map((each) => each.articles));
  const rows = found.groups.map((each) => h("tr", null,
    h("th", { scope: "row" }, named(each.name)),
    h("td", { class: "number" }, format.count(each.articles)),
    h("td", { class: "meter wide narrow-hidden" }, h("span", { style: { width: `${(100 * each.articles) / most}%` } }, h("i", { style: { width: `${(100 * each.repeats) / Math.max(1, each.articles)}%` } }))),
    h("td", { class: "number" }, format.count(each.repeats)),
    h("td", { class: "number strong" }, format.share(each.repeats, each.articles)),
    h("td", { class: "narrow-hidden" }, course(each.steps[1], each.steps[0]))));
  return [table([t(by), { text: t("articles"), number: true }, { text: "", css: "narrow-hidden" }, { text: t("repeats"), number: true }, { text: t("rate"), number: true }, { text: t("course"), css: "narrow-hidden" }], rows, t(by === "channel" ? "by_channel" : "by_source")),
    found.more_groups > 0 && h("p", { class: "note" }, t("more_groups", format.count(found.more_groups)))];
}

function distances(found) {
  const counts = new Map(found);
  const values = Array.from({ length: Math.max(3, ...counts.keys()) + 1 }, (_, at) => counts.get(at) ?? 0);
  return [histogram(t("distances"), [{ name: t("articles"), css: "articles", values }], { ticks: values.map((_, at) => at) }),
    h("p", { class: "note" }, values.map((value, at) => `${at}: ${format.count(value)}`).join(" · "))];
}
