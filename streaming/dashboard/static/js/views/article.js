// One article: its text, its verdict, what came of it, and what is like it.
import { card, h, replace, table } from "../dom.js";
import * as format from "../format.js";
import { t, word } from "../i18n.js";
import { alike, articleLink, named, pairLink, relation, storyLink, titled } from "../parts.js";

export class ArticleView {
  constructor({ rest }) {
    this.id = rest.join("/");
    this.every = 0;
    this.element = h("div", { class: "stack" }, h("p", { class: "loading" }, t("loading")));
  }

  title() {
    return t("article");
  }

  path() {
    return `article/${encodeURIComponent(this.id)}`;
  }

  show(found) {
    replace(this.element,
      h("div", { class: "headline" }, h("h2", { dir: "auto" }, found.title || t("untitled")),
        h("p", { class: "note" }, h("code", null, h("bdi", null, found.article_id)), " · ", named(found.channel), " · ", named(found.source), " · ",
          t("first_seen"), " ", format.time(found.first_ms), found.published_ms !== null && ` · ${t("published")} ${format.time(found.published_ms)}`),
        h("p", null, !found.live && h("span", { class: "tag template" }, t("deleted")), " ", storyLink(found.article_id, t("see_story")))),
      h("div", { class: "columns" },
        card(t("text"), found.body === null ? h("p", { class: "note" }, t("no_text")) : h("div", { class: "body", dir: "auto" }, found.body),
          !found.body_complete && h("p", { class: "note" }, t("cut"))),
        h("div", { class: "stack" }, verdict(found), similar(found), history(found))));
  }
}

function verdict(found) {
  const said = found.verdict;
  return card(t("verdict"),
    h("p", null, relation(said?.relation), " ", said?.duplicate_of ? [`${t("duplicate_of")} `, articleLink(said.duplicate_of)] : t("no_verdict"),
      said?.similarity !== null && said?.similarity !== undefined && ` · ${t("similarity")} ${format.fixed(said.similarity)}`,
      said?.tier && ` · ${word("tier_", said.tier)}`,
      said?.distance !== null && said?.distance !== undefined && ` · ${t("bit_distance", said.distance)}`),
    said?.reason && h("p", { class: "note" }, t("refused_best", "", said.reason.why, format.fixed(said.reason.score)), " ", articleLink(said.reason.article_id), " ", pairLink(said.reason.article_id, found.article_id)),
    found.matches.length > 0 && table([t("matches"), t("relation"), { text: t("similarity"), number: true }, ""], found.matches.map((each) =>
      h("tr", null, h("th", { scope: "row", class: "title" }, titled(each)), h("td", null, relation(each.as)), h("td", { class: "number" }, alike(each.alike)), h("td", null, pairLink(each.article_id, found.article_id)))), t("matches")));
}

function similar(found) {
  if (found.similar === null) return null;
  if (found.similar.model === null) return card(t("similar"), h("p", { class: "note" }, t("similar_none")));
  return card(t("similar"), h("p", { class: "note" }, found.similar.model),
    table([t("title"), t("channel"), { text: t("score"), number: true }, ""], found.similar.articles.map((each) =>
      h("tr", null, h("th", { scope: "row", class: "title" }, titled(each)), h("td", null, named(each.channel)), h("td", { class: "number" }, alike(each.score)), h("td", null, pairLink(found.article_id, each.article_id)))), t("similar")));
}

function history(found) {
  return card(t("events"), h("ol", { class: "events" }, found.events.map((each) => h("li", null, h("time", null, format.time(each.at_ms)), " ", t(each.what), each.channel && [" · ", named(each.channel)]))),
    found.overrides.length > 0 && [h("h3", null, t("editors")), h("ul", { class: "events" }, found.overrides.map((each) =>
      h("li", null, h("time", null, format.time(each.at_ms)), " ", each.ruling, " ", each.other && articleLink(each.other), each.by && [" · ", h("bdi", null, each.by)], each.note && [" · ", h("bdi", null, each.note)])))]);
}
