// Two articles side by side: what differs, and what the rules measure of them.
import { query } from "../api.js";
import { card, h, replace, table } from "../dom.js";
import * as format from "../format.js";
import { t, word } from "../i18n.js";
import { articleLink, commandLine, named, relation } from "../parts.js";

export class PairView {
  constructor({ rest }) {
    [this.a = "", this.b = ""] = rest;
    this.every = 0;
    this.element = h("div", { class: "stack" }, h("p", { class: "loading" }, t("loading")));
  }

  title() {
    return t("pair");
  }

  path() {
    return `pair${query({ a: this.a, b: this.b })}`;
  }

  show(found) {
    const { earlier, later, difference } = found;
    replace(this.element,
      card(t("verdict"),
        h("p", null, relation(found.relation), " ", found.relation ? t("said", word("", found.relation)) : found.why ? t("nothing_said", found.why) : t("nothing_at_all"),
          found.verification.score !== null && ` · ${t("score")} ${format.fixed(found.verification.score)}`,
          found.distance !== null && ` · ${t("bit_distance", found.distance)}`),
        found.obstacle && h("p", { class: "notice" }, t("obstacle", word("obstacle_", found.obstacle))),
        found.stale && h("p", { class: "notice" }, t("stale"))),
      h("div", { class: "sides" }, side(earlier, t("earlier"), difference, "removed"), side(later, t("later"), difference, "added")),
      difference && !difference.complete && h("p", { class: "note" }, t("cut")),
      h("div", { class: "columns" },
        card(t("evidence"), table([t("measure"), { text: t("value"), number: true }, t("asked_for")], found.measured.map(measured), t("evidence"))),
        card(t("keys"), table([t("key"), { text: t("slots"), number: true }, t("seen")], found.keys.map((each) =>
          h("tr", null, h("td", null, word("tier_", each.tier), " ", h("code", null, each.key)), h("td", { class: "number" }, format.count(each.slots)), h("td", null, t(each.seen ? "yes" : "no")))), t("keys")),
        commandLine(`leitong explain ${quoted(earlier.article_id)} ${quoted(later.article_id)}`))));
  }
}

// A word of a shell; what is not plain is put between quotes.
export const quoted = (text) => (/^[\w./:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

function measured(each) {
  return h("tr", null, h("th", { scope: "row" }, h("code", null, each.name)), h("td", { class: "number" }, format.decimal(each.value, 3)),
    h("td", null, Object.entries(each.thresholds).map(([name, value]) => h("span", { class: "chip" }, `${name} ${format.decimal(value, 3)}`))));
}

function side(article, label, difference, mine) {
  const shown = (passages) => passages.filter(([change]) => change === "same" || change === mine).map(([change, text]) =>
    change === "same" ? text : h(mine === "removed" ? "del" : "ins", null, h("span", { class: "hidden" }, `[${t(mine)}] `), text));
  return h("article", { class: `card side ${mine}` },
    h("div", { class: "note" }, label, " · ", named(article.channel), article.source && [" · ", named(article.source)], " · ", format.time(article.first_ms)),
    h("h2", { dir: "auto" }, difference ? shown(difference.title) : article.title ?? t("untitled")),
    h("p", { class: "note" }, articleLink(article.article_id)),
    h("div", { class: "body", dir: "auto" }, difference ? shown(difference.body) : t("no_text")));
}
