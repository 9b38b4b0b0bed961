// The originals that were copied most.
import { query } from "../api.js";
import { card, h, replace, svg, table } from "../dom.js";
import * as format from "../format.js";
import { t } from "../i18n.js";
import { named, picker, RANGES, storyLink } from "../parts.js";

export class StoriesView {
  constructor({ parameters }) {
    this.parameters = parameters;
    this.range = RANGES.includes(parameters.range) ? parameters.range : "24h";
    this.every = 60_000;
    this.element = h("div", { class: "stack" }, h("p", { class: "loading" }, t("loading")));
  }

  title() {
    return t("stories");
  }

  path() {
    return `stories${query({ range: this.range, end: this.parameters.end })}`;
  }

  show(found) {
    found.begin = Math.min(...found.stories.map((each) => each.first_ms));
    const rows = found.stories.map((each) => h("tr", null,
      h("th", { scope: "row", class: "title" }, storyLink(each.article_id, h("bdi", null, each.title || t("untitled"))),
        h("div", { class: "note" }, named(each.channel), each.source && [" · ", named(each.source)], " · ", format.moment(each.first_ms))),
      h("td", { class: "number strong" }, format.count(each.copies)),
      h("td", null, dots(each, found)),
      h("td", { class: "names narrow-hidden" }, each.channels.map(([name, n]) => h("span", { class: "chip" }, named(name), ` ${format.count(n)}`))),
      h("td", { class: "names narrow-hidden" }, each.sources.map(([name, n]) => h("span", { class: "chip" }, named(name), ` ${format.count(n)}`)))));
    replace(this.element,
      h("div", { class: "row" }, picker(t("range"), "stories", "range", RANGES, this.parameters, "24h")),
      found.moved && h("p", { class: "notice" }, t("moved", format.moment(found.to_ms))),
      card(t("most_copied"),
        h("p", { class: "note" }, t(found.complete ? "stories_all" : "stories_note", format.count(found.looked_at), format.moment(found.from_ms))),
        rows.length ? table([t("title"), { text: t("copies"), number: true }, t("timeline"), { text: t("channels"), css: "narrow-hidden" }, { text: t("sources"), css: "narrow-hidden" }], rows, t("most_copied")) : h("p", null, t("no_stories"))));
  }
}

function dots(each, found) {
  const [wide, high] = [160, 22];
  const { begin } = found;
  const place = (ms) => 4 + ((ms - begin) / Math.max(1, found.to_ms - begin)) * (wide - 8);
  return svg("svg", { viewBox: `0 0 ${wide} ${high}`, class: "dots", role: "img", "aria-label": `${t("timeline")}: ${format.count(each.copies)}` },
    svg("line", { x1: 4, x2: wide - 4, y1: high / 2, y2: high / 2, class: "base" }),
    each.times.map((ms) => svg("circle", { cx: place(ms).toFixed(1), cy: high / 2, r: 3, class: "repeats" })),
    svg("rect", { x: place(each.first_ms).toFixed(1) - 3, y: high / 2 - 5, width: 6, height: 10, class: "articles" }));
}
