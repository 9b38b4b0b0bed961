// Find articles by id or title.
import { query } from "../api.js";
import { card, h, replace, table } from "../dom.js";
import * as format from "../format.js";
import { t } from "../i18n.js";
import { named, relation, titled } from "../parts.js";

export class SearchView {
  constructor({ parameters }) {
    this.parameters = parameters;
    this.every = 0;
    this.field = h("input", { type: "search", id: "q", name: "q", value: parameters.q ?? "", maxlength: 200, required: true, "data-key": "q", autocomplete: "off" });
    this.found = h("div", { class: "stack", "aria-live": "polite" });
    const go = (event) => {
      event.preventDefault();
      location.hash = `#/search${query({ q: this.field.value.trim() })}`;
    };
    this.element = h("div", { class: "stack" },
      h("form", { class: "card row search", role: "search", on: { submit: go } }, h("label", { for: "q" }, t("search_label")), this.field, h("button", { type: "submit" }, t("go"))),
      this.found);
    if (!parameters.q) queueMicrotask(() => this.field.focus());
  }

  title() {
    return t("search");
  }

  path() {
    const { q, before } = this.parameters;
    return q ? `search${query({ q, before })}` : null;
  }

  show(found) {
    const rows = found.found.map((each) => h("tr", null, h("th", { scope: "row", class: "title" }, titled(each), h("div", { class: "note" }, h("bdi", null, each.article_id))),
      h("td", null, named(each.channel)), h("td", null, named(each.source)), h("td", null, format.moment(each.first_ms)), h("td", null, relation(each.relation))));
    replace(this.found, card(null,
      rows.length ? table([t("title"), t("channel"), t("source"), t("first"), t("relation")], rows, t("search")) : h("p", null, t("not_found")),
      h("p", { class: "note" }, t(found.complete ? "looked_all" : "looked", format.count(found.looked_at), format.moment(found.from_ms))),
      !found.complete && h("p", null, h("a", { class: "button", href: `#/search${query({ q: found.asked, before: found.from_ms })}` }, t("further")))));
  }
}
