// English and Chinese. A text may hold {0}, {1}.
const TEXTS = {
  en: {
    skip: "Skip to content", now: "Now", rates: "Rates", stories: "Stories", letters: "Dead letters", search: "Search",
    navigation: "Views", live: "Live", theme: "Colours", light: "Light", dark: "Dark", auto: "As the system", language: "Language",
    running: "running", stopped: "stopped", empty: "no batch yet", empty_title: "No data yet",
    empty_text: "No query ever ran on this store. Start one, and this page fills by itself:",
    stopped_text: "The query is not running. What you see is as it was left {0}.",
    unreachable: "The store does not answer: {0} Trying again.", gone: "The dashboard itself does not answer. Trying again.",
    failed: "Something went wrong: {0}", back: "The store answers again.", locked: "This page asks for its token.", token: "Token", enter: "Enter",
    rate: "Dedup rate", rate_note: "of the last {0}", per_second: "Articles per second", lag: "Lag", lag_note: "records not yet read", unknown: "unknown",
    batch_time: "Last batch", batch_note: "{0} events, {1}", letters_day: "Dead letters, 24 h", owner: "Owner of the index", nobody: "nobody",
    since: "since {0}", process: "process {0} on {1}", generation: "Generation", models: "Models of similar articles", none: "none", newest: "Newest article",
    store: "Store", source: "Source", batches: "Latest batches", batches_note: "seconds per batch; the newest on the right",
    stages: "Where the time goes", stage: "Stage", seconds: "Seconds", facts: "The query", state: "State",
    stage_enrich: "read and fingerprint", stage_put: "put into the index", stage_judge: "judge", stage_rank: "rank similar articles", stage_report: "report",
    alerts: "Alerts", alert_wiped_out: "Nearly all flagged:", alert_unusual_rate: "Unusual dedup rate", alert_lag_growing: "Falling behind", alert_dead_letters: "Many records refused", alert_hot_bucket: "Hot key:", alert_no_batch: "No batch",
    said_wiped_out: "{0} of {1} articles are repeats.", said_unusual_rate: "{0} in the last whole hour; usual is {1} to {2}.", said_lag_growing: "{0} records wait, {1} more than {2} sightings ago.",
    said_dead_letters: "{0} of {1} records were refused; {2} of them: {3}.", said_hot_bucket: "{0} articles or more carry this key.", said_no_batch: "For {0} minutes.",
    range: "Range", by: "By", channel: "Channel", channels: "Channels", sources: "Sources", articles: "Articles", repeats: "Repeats", original: "original",
    "15m": "15 min", "1h": "1 hour", "6h": "6 hours", "24h": "24 hours", "7d": "7 days", "30d": "30 days", "90d": "90 days",
    over_time: "Articles and dedup rate", over_time_note: "{0} articles, {1} repeats: {2}", tiers: "Repeats by tier", tiers_note: "which key made the two meet",
    tier_simhash: "near fingerprints", tier_shingle: "shared shingles", tier_editor: "an editor's word",
    moved: "Nothing came for that long; this is the time up to the newest article, {0}.",
    as_table: "As a table", time: "Time", by_channel: "By channel", by_source: "By source", course: "Course of the rate", unnamed: "(not named)", more_groups: "and {0} more",
    distances: "Distance of fingerprints", distances_note: "bits in which the two differ, where fingerprints were near", bits: "Bits",
    scores: "Scores, and what if", scores_note: "What two texts share, from 0 to 1. Solid: taken for repeats. Hatched: best candidate refused for too little. Heights go with the square root.",
    threshold: "Another threshold", whatif: "At {0} the rate would be {1} instead of {2}: {3} articles.", whatif_same: "Repeats by score, as they are: {0}.",
    whatif_limits: "One threshold for all texts, where the rules ask for more of short, late and excerpted ones; whole newsroom, whatever is shown above.",
    flagged: "repeats", refused: "refused", score: "Score",
    most_copied: "Most copied", copies: "Copies", first: "First", title: "Title", stories_note: "From the {0} newest articles since {1}.", stories_all: "From all {0} articles since {1}.",
    no_stories: "Nothing was copied in this time.", story: "Story", timeline: "Copies on a time line", compare: "Compare", relation: "Relation", similarity: "Similarity",
    story_more: "Only the first {0} are shown.", minutes_later: "+{0}", untitled: "(no text kept)",
    duplicate: "duplicate", contained_in: "contained in", contains: "contains", template: "template",
    pair: "Side by side", earlier: "Earlier", later: "Later", evidence: "Evidence", measure: "Measure", value: "Value", asked_for: "Thresholds", keys: "Shared keys",
    key: "Key", slots: "Seen under it", seen: "among them", yes: "yes", no: "no", verdict: "Verdict", bit_distance: "Distance: {0} bits", difference: "What differs",
    removed: "removed", added: "added", swap: "Swap", no_text: "The texts are not kept.", cut: "Only the beginning is shown.",
    said: "The rules say: {0}", nothing_said: "nothing relates them ({0})", nothing_at_all: "nothing relates them", obstacle: "They were not compared: {0}",
    obstacle_scope: "their channels are not compared with each other", obstacle_key: "they share no key", obstacle_window: "the earlier one is too old", obstacle_slots: "enough earlier articles share every key", obstacle_index: "index entries are missing",
    stale: "What is stored is not what the index gives now: a batch is under way.",
    article: "Article", published: "Published", first_seen: "First seen", events: "What came of it", content: "published or edited", deleted: "deleted", matches: "Matches",
    similar: "Similar articles", similar_none: "There are no lists of similar articles in this index.", see_story: "Its story", text: "Text", editors: "What editors said",
    duplicate_of: "Repeats", no_verdict: "repeats nothing", refused_best: "Best refused: {0} ({1}, {2})",
    letters_note: "{0} dead letters; the newest {1} were looked at.", letters_none: "Nothing was refused in this time.", all_reasons: "All reasons", reason: "Reason", place: "Place", detail: "Detail", size: "Size", bytes: "{0} bytes", replayed: "sent again",
    letters_hint: "After a fix, send them again with:", show_bytes: "Bytes", at_least: "{0} or more",
    reason_no_value: "no value", reason_too_large: "too large", reason_not_utf8: "not UTF-8", reason_not_json: "not JSON", reason_too_deep: "nested too deep", reason_schema: "breaks the schema", reason_unknown_event: "unknown event", reason_empty_text: "no text",
    search_label: "Article id, its beginning, or words of a title", go: "Search", looked: "{0} articles were looked at, back to {1}.", looked_all: "All {0} articles were looked at.", further: "Look further back", not_found: "Nothing found.",
    footer: "Read only. Counts are by the time of first appearance.", loading: "Loading…",
  },
  zh: {
    skip: "跳到正文", now: "现况", rates: "重复率", stories: "稿件链", letters: "死信", search: "搜索",
    navigation: "视图", live: "实时", theme: "配色", light: "浅色", dark: "深色", auto: "跟随系统", language: "语言",
    running: "运行中", stopped: "已停止", empty: "还没有批次", empty_title: "还没有数据",
    empty_text: "这个存储上还没有运行过查询。启动一个，页面会自行更新：",
    stopped_text: "查询没有运行。下面是{0}留下的状态。",
    unreachable: "存储没有响应：{0} 正在重试。", gone: "看板服务没有响应，正在重试。",
    failed: "出错了：{0}", back: "存储恢复响应。", locked: "此页面需要令牌。", token: "令牌", enter: "进入",
    rate: "重复率", rate_note: "最近{0}", per_second: "每秒稿件", lag: "积压", lag_note: "条尚未读取", unknown: "未知",
    batch_time: "最近批次", batch_note: "{0} 条事件，{1}", letters_day: "24 小时死信", owner: "索引持有者", nobody: "无",
    since: "自 {0}", process: "{1} 上的进程 {0}", generation: "世代", models: "相似稿模型", none: "无", newest: "最新稿件",
    store: "存储", source: "来源", batches: "最近的批次", batches_note: "每批秒数，最新在右",
    stages: "时间去向", stage: "阶段", seconds: "秒", facts: "查询", state: "状态",
    stage_enrich: "读取与指纹", stage_put: "写入索引", stage_judge: "判定", stage_rank: "相似稿排序", stage_report: "汇报",
    alerts: "告警", alert_wiped_out: "几乎全部判重：", alert_unusual_rate: "重复率异常", alert_lag_growing: "积压增长", alert_dead_letters: "大量消息被拒", alert_hot_bucket: "热键：", alert_no_batch: "没有批次",
    said_wiped_out: "{1} 篇稿件中有 {0} 篇判为重复。", said_unusual_rate: "最近一个整点小时为 {0}，通常在 {1} 至 {2} 之间。", said_lag_growing: "{0} 条尚未读取，比 {2} 次查看之前多 {1} 条。",
    said_dead_letters: "{1} 条消息中有 {0} 条被拒，其中 {2} 条：{3}。", said_hot_bucket: "至少 {0} 篇稿件带有此键。", said_no_batch: "已有 {0} 分钟。",
    range: "时段", by: "分组", channel: "频道", channels: "频道", sources: "来源", articles: "稿件", repeats: "重复", original: "原创",
    "15m": "15 分钟", "1h": "1 小时", "6h": "6 小时", "24h": "24 小时", "7d": "7 天", "30d": "30 天", "90d": "90 天",
    over_time: "稿件与重复率", over_time_note: "稿件 {0} 篇，重复 {1} 篇：{2}", tiers: "按层级的重复", tiers_note: "两稿因何相遇",
    tier_simhash: "指纹相近", tier_shingle: "共有片段", tier_editor: "编辑裁定",
    moved: "这么久没有新稿；以下截至最新一篇：{0}。",
    as_table: "以表格显示", time: "时间", by_channel: "按频道", by_source: "按来源", course: "重复率走势", unnamed: "（未注明）", more_groups: "另有 {0} 个",
    distances: "指纹距离", distances_note: "指纹相近时相差的位数", bits: "位",
    scores: "得分与假设", scores_note: "两文共有的份额，0 到 1。实心：判为重复；斜纹：因份额不足被拒的最佳候选。高度按平方根。",
    threshold: "另一个阈值", whatif: "阈值为 {0} 时，重复率为 {1}，现为 {2}：{3} 篇。", whatif_same: "按得分计，现为 {0}。",
    whatif_limits: "对所有文本用同一阈值，而规则对短文、迟发和节录要求更高；统计整个编辑部，与上方筛选无关。",
    flagged: "重复", refused: "被拒", score: "得分",
    most_copied: "转载最多", copies: "转载", first: "首发", title: "标题", stories_note: "取自 {1} 以来最新的 {0} 篇稿件。", stories_all: "取自 {1} 以来全部 {0} 篇稿件。",
    no_stories: "这段时间没有转载。", story: "稿件链", timeline: "转载时间线", compare: "对比", relation: "关系", similarity: "相似度",
    story_more: "只显示前 {0} 篇。", minutes_later: "+{0}", untitled: "（未存文本）",
    duplicate: "重复", contained_in: "被包含", contains: "包含", template: "同模板",
    pair: "并排对比", earlier: "先发", later: "后发", evidence: "证据", measure: "度量", value: "数值", asked_for: "阈值", keys: "共有键",
    key: "键", slots: "其下可见", seen: "包括在内", yes: "是", no: "否", verdict: "判定", bit_distance: "距离：{0} 位", difference: "差异",
    removed: "删去", added: "新增", swap: "交换", no_text: "文本未保存。", cut: "只显示开头。",
    said: "规则认为：{0}", nothing_said: "两者无关（{0}）", nothing_at_all: "两者无关", obstacle: "两者未被比较：{0}",
    obstacle_scope: "所在频道互不比较", obstacle_key: "没有共有键", obstacle_window: "先发稿太早", obstacle_slots: "每个键下已有足够多更早的稿件", obstacle_index: "缺少索引条目",
    stale: "存储的判定与索引现在给出的不一致：有批次正在进行。",
    article: "稿件", published: "发布", first_seen: "首次出现", events: "经过", content: "发布或修改", deleted: "删除", matches: "匹配",
    similar: "相似稿件", similar_none: "此索引没有相似稿列表。", see_story: "所在稿件链", text: "正文", editors: "编辑意见",
    duplicate_of: "重复于", no_verdict: "没有重复", refused_best: "最佳被拒候选：{0}（{1}，{2}）",
    letters_note: "共 {0} 封死信；查看了最新 {1} 封。", letters_none: "这段时间没有被拒的消息。", all_reasons: "全部原因", reason: "原因", place: "位置", detail: "详情", size: "大小", bytes: "{0} 字节", replayed: "已重发",
    letters_hint: "修复之后可以重发：", show_bytes: "字节", at_least: "{0} 或更多",
    reason_no_value: "无内容", reason_too_large: "过大", reason_not_utf8: "非 UTF-8", reason_not_json: "非 JSON", reason_too_deep: "嵌套过深", reason_schema: "不合模式", reason_unknown_event: "未知事件", reason_empty_text: "无文本",
    search_label: "稿件编号、编号开头，或标题中的词", go: "搜索", looked: "查看了 {0} 篇稿件，直到 {1}。", looked_all: "查看了全部 {0} 篇稿件。", further: "继续向前找", not_found: "没有找到。",
    footer: "只读。计数按首次出现的时间。", loading: "载入中…",
  },
};
const CHOSEN = "leitong.language";
let current = localStorage.getItem(CHOSEN) ?? (navigator.language.startsWith("zh") ? "zh" : "en");
if (!(current in TEXTS)) current = "en";

export const languages = { en: "English", zh: "中文" };
export const language = () => current;

export function setLanguage(name) {
  current = name;
  localStorage.setItem(CHOSEN, name);
}

export function t(key, ...values) {
  const text = TEXTS[current][key] ?? TEXTS.en[key] ?? key;
  return text.replace(/\{(\d)\}/g, (_, place) => values[place] ?? "");
}

// What may be a word that is not known here, such as a check added later.
export const word = (prefix, name) => (`${prefix}${name}` in TEXTS.en ? t(`${prefix}${name}`) : String(name));
