// Pieces that several views share.
import { query } from "./api.js";
import { h } from "./dom.js";
import * as format from "./format.js";
import { t, word } from "./i18n.js";

export const RANGES = ["15m", "1h", "6h", "24h", "7d", "30d", "90d"];
const part = encodeURIComponent;

export const articleLink = (id, text) => h("a", { href: `#/article/${part(id)}` }, h("bdi", null, text ?? id));
export const storyLink = (id, text) => h("a", { href: `#/story/${part(id)}` }, text);
export const pairLink = (a, b) => h("a", { href: `#/pair/${part(a)}/${part(b)}`, class: "button" }, t("compare"));
export const titled = (each) => articleLink(each.article_id, each.title || t("untitled"));
export const named = (name) => h("bdi", null, name || t("unnamed"));

export function relation(name) {
  if (!name) return h("span", { class: "tag" }, t("original"));
  return h("span", { class: `tag ${name}` }, word("", name));
}

// Buttons of which one is chosen, each a link so that it can be shared and opened elsewhere.
export function picker(label, view, key, values, parameters, fallback) {
  const chosen = parameters[key] ?? fallback;
  return h("div", { class: "picker", role: "group", "aria-label": label }, values.map((value) =>
    h("a", {
      href: `#/${view}${query({ ...parameters, [key]: value })}`,
      "aria-current": value === chosen ? "true" : null,
      "data-key": `${key}-${value}`,
    }, word("", value))));
}

export function commandLine(text) {
  return h("pre", { class: "command", tabindex: "0" }, text);
}

export const alike = (value) => (value === null || value === undefined ? "–" : format.fixed(value));
