// How the query is just now.
import { card, h, replace, svg, table } from "../dom.js";
import * as format from "../format.js";
import { t, word } from "../i18n.js";

const REFRESH_MS = 3000;

export class NowView {
  constructor() {
    this.every = REFRESH_MS;
    this.element = h("div", { class: "stack" }, h("p", { class: "loading" }, t("loading")));
  }

  title() {
    return t("now");
  }

  path() {
    return "now";
  }

  show(found) {
    const { rate, progress, last, dead_letters: letters } = found;
    const lag = progress?.lag_records;
    replace(this.element,
      found.state === "stopped" && h("p", { class: "notice", role: "status" },
        t("stopped_text", last ? format.ago(Math.max(last.started_ms, progress?.at_ms ?? 0), found.now_ms) : "–")),
      alerts(found.alerts ?? []),
      h("div", { class: "tiles" },
        tile(t("rate"), format.share(rate.repeats, rate.articles), t("rate_note", format.span(rate.seconds * 1000)), "accent"),
        tile(t("per_second"), format.decimal(rate.per_second), t("rate_note", format.span(rate.seconds * 1000))),
        tile(t("lag"), lag === null || lag === undefined ? t("unknown") : format.count(lag), t("lag_note")),
        tile(t("batch_time"), last ? format.seconds(total(last)) : "–",
          last ? t("batch_note", format.count(last.events), format.ago(last.started_ms, found.now_ms)) : ""),
        tile(t("letters_day"), letters.more ? t("at_least", format.count(letters.count)) : format.count(letters.count), "", letters.count ? "warn" : "", "#/letters?range=24h")),
      h("div", { class: "columns" },
        card(t("facts"), facts(found)),
        found.batches.length > 0 && card(t("batches"), h("p", { class: "note" }, t("batches_note")), bars([...found.batches].reverse()), last && stages(last))));
  }
}

const total = (batch) => Object.values(batch.seconds).reduce((sum, each) => sum + each, 0);

function tile(label, value, note, css = "", href = null) {
  const inside = [h("div", { class: "label" }, label), h("div", { class: "value" }, value), h("div", { class: "note" }, note)];
  return href ? h("a", { class: `tile ${css}`, href, "data-key": href }, inside) : h("div", { class: `tile ${css}` }, inside);
}

// The figures that a rule tells, as texts; one that is not known here tells its message, in English.
const counts = (figures) => figures.map((each) => format.count(each));
const FIGURES = {
  wiped_out: ([flagged, articles]) => counts([flagged, articles]),
  unusual_rate: (shares) => shares.map((each) => format.percent(each)),
  lag_growing: counts,
  dead_letters: ([refused, records, most, reason]) => [...counts([refused, records, most]), word("reason_", reason)],
  hot_bucket: counts,
  no_batch: counts,
};

function subject({ rule, figures, subject: named }) {
  const [, , kind, name] = figures;
  return rule === "wiped_out" ? [`${t(kind)} `, h("bdi", null, name)] : h("bdi", null, named ?? "");
}

function alerts(found) {
  if (!found.length) return null;
  return h("section", { class: "card alerts", "aria-label": t("alerts") }, h("h2", null, t("alerts")),
    h("ul", null, found.map((each) => h("li", { class: each.severity }, h("strong", null, word("alert_", each.rule)), " ", subject(each),
      h("div", { class: "note" }, each.rule in FIGURES ? t(`said_${each.rule}`, ...FIGURES[each.rule](each.figures)) : each.message)))));
}

function facts(found) {
  const { owner, progress, models } = found;
  const rows = [
    [t("state"), h("span", { class: `state-${found.state}` }, word("", found.state))],
    [t("owner"), owner ? [t("process", owner.pid, owner.host), h("div", { class: "note" }, t("since", format.time(owner.since_ms)))] : t("nobody")],
    [t("generation"), found.generation],
    [t("models"), models.followed ?? t("none")],
    [t("newest"), found.newest_ms ? format.moment(found.newest_ms) : "–"],
    [t("source"), progress?.source ?? "–"],
    [t("store"), found.store],
  ];
  return h("dl", { class: "facts" }, rows.map(([name, value]) => [h("dt", null, name), h("dd", null, value)]));
}

function bars(batches) {
  const most = Math.max(...batches.map((each) => each.seconds), 0.001);
  const [wide, high] = [600, 90];
  const unit = wide / Math.max(batches.length, 20);
  return svg("svg", { viewBox: `0 0 ${wide} ${high}`, class: "histogram", role: "img", "aria-label": t("batches"), preserveAspectRatio: "none" },
    batches.map((each, at) => svg("rect", {
      x: wide - (batches.length - at) * unit + 1, width: Math.max(unit - 2, 1), class: "articles",
      y: high - (each.seconds / most) * (high - 4), height: (each.seconds / most) * (high - 4),
    }, svg("title", null, `${format.time(each.started_ms)}: ${format.seconds(each.seconds)}, ${format.count(each.events)}`))));
}

function stages(last) {
  const all = Math.max(total(last), 0.001);
  return table([t("stage"), { text: t("seconds"), number: true }, ""], Object.entries(last.seconds).map(([name, value]) =>
    h("tr", null, h("th", { scope: "row" }, word("stage_", name)), h("td", { class: "number" }, format.fixed(value)),
      h("td", { class: "meter" }, h("span", { style: { width: `${(100 * value) / all}%` } })))), t("stages"));
}
