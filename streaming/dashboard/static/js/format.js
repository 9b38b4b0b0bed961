import { language } from "./i18n.js";

const known = new Map();

function formatter(kind, options) {
  const key = `${language()} ${kind.name} ${JSON.stringify(options)}`;
  if (!known.has(key)) known.set(key, new kind(language(), options));
  return known.get(key);
}

export const count = (value) => formatter(Intl.NumberFormat, {}).format(value);
export const decimal = (value, digits = 2) =>
  formatter(Intl.NumberFormat, { maximumFractionDigits: digits }).format(value);
export const fixed = (value, digits = 2) =>
  formatter(Intl.NumberFormat, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
export const percent = (value, digits = 1) =>
  Number.isFinite(value)
    ? formatter(Intl.NumberFormat, { style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value)
    : "–";
export const share = (part, whole, digits = 1) => (whole ? percent(part / whole, digits) : "–");
export const seconds = (value) => `${decimal(value, value < 10 ? 2 : 0)} s`;

export const time = (ms) =>
  ms === null || ms === undefined ? "–" : formatter(Intl.DateTimeFormat, { dateStyle: "medium", timeStyle: "medium" }).format(ms);
export const clock = (ms) => formatter(Intl.DateTimeFormat, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(ms);
export const day = (ms) => formatter(Intl.DateTimeFormat, { month: "short", day: "numeric" }).format(ms);
export const moment = (ms) => `${day(ms)} ${clock(ms)}`;

export function ago(ms, now) {
  const past = Math.max(0, (now - ms) / 1000);
  const [value, unit] =
    past < 90 ? [past, "second"] : past < 5400 ? [past / 60, "minute"] : past < 129600 ? [past / 3600, "hour"] : [past / 86400, "day"];
  return formatter(Intl.RelativeTimeFormat, { numeric: "always" }).format(-Math.round(value), unit);
}

export function span(ms) {
  const s = ms / 1000;
  const [value, unit] = s < 120 ? [s, "second"] : s < 7200 ? [s / 60, "minute"] : s < 172800 ? [s / 3600, "hour"] : [s / 86400, "day"];
  return formatter(Intl.NumberFormat, { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: 1 }).format(value);
}
