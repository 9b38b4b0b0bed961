// One story: its original and the copies, on a time line and as a list.
import { card, h, replace, svg, table } from "../dom.js";
import * as format from "../format.js";
import { t, word } from "../i18n.js";
import { alike, named, pairLink, relation, titled } from "../parts.js";

const LANES = 12;

export class StoryView {
  constructor({ rest }) {
    this.id = rest.join("/");
    this.every = 0;
    this.element = h("div", { class: "stack" }, h("p", { class: "loading" }, t("loading")));
  }

  title() {
    return t("story");
  }

  path() {
    return `story/${encodeURIComponent(this.id)}`;
  }

  show(found) {
    const root = found.members.find((each) => each.article_id === found.root) ?? found.members[0];
    const rows = found.members.map((each) => h("tr", { class: each.article_id === found.asked ? "asked" : null },
      h("th", { scope: "row", class: "title" }, titled(each)),
      h("td", null, named(each.channel)), h("td", null, named(each.source)),
      h("td", null, each === root ? format.moment(each.first_ms) : t("minutes_later", format.span(each.first_ms - root.first_ms))),
      h("td", null, relation(each.relation)), h("td", { class: "number" }, alike(each.similarity)),
      h("td", null, each !== root && pairLink(each.duplicate_of ?? root.article_id, each.article_id))));
    replace(this.element,
      h("div", { class: "headline" }, h("h2", null, h("bdi", null, root.title || t("untitled"))),
        h("p", { class: "note" }, named(root.channel), " · ", named(root.source), " · ", format.time(root.first_ms), " · ", `${t("copies")} ${format.count(found.members.length - 1)}`)),
      found.members.length > 1 && card(t("timeline"), line(found.members, root)),
      card(t("story"),
        table([t("title"), t("channel"), t("source"), t("time"), t("relation"), { text: t("similarity"), number: true }, ""], rows, t("story")),
        !found.complete && h("p", { class: "note" }, t("story_more", format.count(found.members.length)))));
  }
}

function line(members, root) {
  const counts = new Map();
  for (const each of members) counts.set(each.channel, (counts.get(each.channel) ?? 0) + 1);
  const lanes = [...counts].sort((a, b) => b[1] - a[1]).slice(0, LANES).map(([name]) => name);
  const [wide, lane, left, foot] = [900, 26, 130, 24];
  const times = members.map((each) => each.first_ms);
  const [begin, end] = [Math.min(...times), Math.max(...times)];
  const place = (ms) => left + 10 + ((ms - begin) / Math.max(1, end - begin)) * (wide - left - 30);
  const high = lanes.length * lane;
  const label = end - begin > 86_400_000 ? format.moment : format.clock;
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("timeline") },
    svg("svg", { viewBox: `0 0 ${wide} ${high + foot}`, class: "lanes", role: "img", "aria-label": `${t("timeline")}: ${format.count(members.length)}` },
      lanes.map((name, at) => [
        svg("line", { x1: left, x2: wide - 10, y1: at * lane + lane / 2, y2: at * lane + lane / 2, class: "base" }),
        svg("text", { x: left - 8, y: at * lane + lane / 2 + 4, "text-anchor": "end" }, (name || t("unnamed")).slice(0, 14)),
      ]),
      members.filter((each) => lanes.includes(each.channel)).map((each) => {
        const [x, y] = [place(each.first_ms), lanes.indexOf(each.channel) * lane + lane / 2];
        const shape = each === root
          ? svg("rect", { x: x - 6, y: y - 6, width: 12, height: 12, class: "articles" })
          : svg("circle", { cx: x, cy: y, r: 5, class: each.relation === "duplicate" ? "repeats" : "refused-solid" });
        shape.append(svg("title", null, `${format.time(each.first_ms)} ${each.title ?? each.article_id} (${each.relation ? word("", each.relation) : t("original")})`));
        return shape;
      }),
      svg("text", { x: left + 10, y: high + 16 }, label(begin)),
      svg("text", { x: wide - 10, y: high + 16, "text-anchor": "end" }, label(end))));
}
