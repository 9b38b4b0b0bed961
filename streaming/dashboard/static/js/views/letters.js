// What was refused, by reason, with its bytes.
import { query } from "../api.js";
import { card, h, replace, table } from "../dom.js";
import * as format from "../format.js";
import { t, word } from "../i18n.js";
import { commandLine, picker, RANGES } from "../parts.js";

export class LettersView {
  constructor({ parameters }) {
    this.parameters = parameters;
    this.range = RANGES.includes(parameters.range) ? parameters.range : "7d";
    this.every = 60_000;
    this.element = h("div", { class: "stack" }, h("p", { class: "loading" }, t("loading")));
  }

  title() {
    return t("letters");
  }

  path() {
    return `dead-letters${query({ range: this.range, reason: this.parameters.reason, end: this.parameters.end })}`;
  }

  show(found) {
    const { reason } = this.parameters;
    const count = format.count(found.count);
    replace(this.element,
      h("div", { class: "row" }, picker(t("range"), "letters", "range", RANGES, this.parameters, "7d")),
      card(t("reason"), h("p", { class: "note" }, found.count ? t("letters_note", found.more ? t("at_least", count) : count, format.count(found.looked_at)) : t("letters_none")),
        h("div", { class: "picker", role: "group", "aria-label": t("reason") },
          this.reason(undefined, t("all_reasons"), found.looked_at, !reason),
          found.reasons.map(([name, n]) => this.reason(name, word("reason_", name), n, name === reason)))),
      found.letters.length > 0 && card(t("letters"),
        table([t("time"), t("reason"), t("place"), t("detail"), { text: t("size"), number: true }], found.letters.map((each) => [
          h("tr", { class: "letter" }, h("td", { class: "whole" }, format.moment(each.timestamp)), h("td", null, h("span", { class: "tag template" }, word("reason_", each.reason))),
            h("td", { class: "whole" }, h("code", null, each.place)), h("td", null, h("bdi", null, each.detail)),
            h("td", { class: "number" }, each.size === null ? "–" : format.count(each.size))),
          h("tr", { class: "under" }, h("td", { colspan: 5 },
            each.replayed && h("span", { class: "tag" }, t("replayed"), " ", format.time(each.replayed.at)),
            each.preview && h("details", { "data-key": each.place }, h("summary", null, t("show_bytes")), h("pre", { class: "bytes", tabindex: "0", dir: "ltr" }, each.preview), !each.preview_complete && h("p", { class: "note" }, t("cut"))))),
        ]), t("letters")),
        h("p", null, t("letters_hint")), commandLine(`leitong dead-letters replay --dry-run${reason ? ` --reason ${reason}` : ""}`)));
  }

  reason(name, text, n, chosen) {
    return h("a", { href: `#/letters${query({ ...this.parameters, reason: name })}`, "aria-current": chosen ? "true" : null, "data-key": `reason-${name}` }, text, " ", h("span", { class: "count" }, format.count(n)));
  }
}
