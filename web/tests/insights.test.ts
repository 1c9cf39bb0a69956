import { describe, expect, it, vi } from "vitest";
import { alertOf, alertStream, type Alert, timesWords, withAlert, wordsOf } from "../src/lib/insights/alerts";
import { behindPath, daysOf, lengthWords, marks, narrowWords, spoken, timeWords } from "../src/lib/insights/behind";
import { axisWords, bars, columns, lines, stacked, week } from "../src/lib/insights/charts";
import { bucketWords, cardsOf, change, type Figure, groups, handoffReasons, HEADLINES, overTime, shown, valueWords, weekOf } from "../src/lib/insights/figures";
import { bodyOf, citedWords, compared, diffLines, draftOf, type Gap, measuresOf, calledWords } from "../src/lib/insights/gaps";
import { createLoaded } from "../src/lib/insights/loaded";
import { lookOf, pathOf, periodTrouble, searchOf } from "../src/lib/insights/look";
import { clockWords as orderClock, isOrderFigure, listOf, orderMarks, type OrderRow, ordersPath } from "../src/lib/insights/ordersBehind";
import { createPlace } from "../src/lib/insights/place";
import { brokenWords, kappaWords, type Review, toDo } from "../src/lib/insights/quality";
import { found, inOrder, riseWords, spark, type Topic, undoOf } from "../src/lib/insights/topics";
import { askWithCode, createWallFeed, dueForReload, endsSoon, wallBars, wallPath } from "../src/lib/insights/wall";

const NOW = Date.parse("2026-11-25T17:00:00Z"); // the 26th in Foshan
const FIGURE: Figure = { title: "机器办完", unit: "share", better: "up", value: 0.7, before: 0.6, hidden: false, measure: "contained" };
const ALERT: Alert = {
  alert_id: 7, topic_id: 1, title: "停水", town: "狮山镇", at: "2026-11-24T17:00:00Z", window_h: 1, count: 9, people: 9,
  expected: 1, evidence: [], series: [], state: "open", incident_id: null,
}; // prettier-ignore
const GAP: Gap = { gap_id: "a", name: "养狗", words: [], turns: 9, people: 6, kinds: {}, examples: ["养狗怎么办证"], item_keys: [], towns: {} };

describe("what is looked at", () => {
  it("is the last thirty days of Foshan, and everything, where the address says nothing", () => {
    expect(lookOf("", NOW)).toMatchObject({ tab: "overview", from: "2026-10-28", to: "2026-11-26", town: "" });
    expect(searchOf(lookOf("", NOW), NOW)).toBe("");
  });

  it("comes back from its own address", () => {
    const look = { ...lookOf("", NOW), from: "2026-01-01", to: "2026-02-01", town: "狮山镇", tab: "topics" as const, topic: "3" };
    expect(lookOf(searchOf(look, NOW), NOW)).toEqual(look);
  });

  it("leaves out of an address what is not ours", () => {
    expect(lookOf("?tab=secrets&from=2026-02-31&by=caller&kind=year", NOW)).toEqual(lookOf("", NOW));
  });

  it("asks the gateway with the days and only the filters that are set", () => {
    const look = lookOf("?from=2026-01-01&to=2026-01-31&channel=voice", NOW);
    expect(pathOf("trends", look, { figures: "turns" })).toBe("/api/v1/insights/trends?from=2026-01-01&to=2026-01-31&channel=voice&figures=turns");
  });

  it("is refused before it is asked where the days are turned round or too many", () => {
    expect(periodTrouble("2026-02-01", "2026-01-01")).toContain("早于");
    expect(periodTrouble("2020-01-01", "2026-01-01")).toContain("三年");
    expect(periodTrouble("", "2026-01-01")).toContain("填上");
    expect(periodTrouble("2026-01-01", "2026-01-01")).toBe("");
  });

  it("goes into the address, and the back button takes it out again", () => {
    const place = createPlace();
    place.go({ town: "狮山镇" });
    expect(new URLSearchParams(window.location.search).get("town")).toBe("狮山镇");
    window.history.replaceState(null, "", "/insights");
    window.dispatchEvent(new PopStateEvent("popstate"));
    expect(place.look.town).toBe("");
    place.leave();
  });

  it("closes what was opened on one tab when another is chosen", () => {
    const place = createPlace();
    place.go({ behind: "handoffs" });
    place.go({ tab: "topics" });
    expect(place.look.behind).toBe("");
    place.leave();
  });
});

describe("an answer of the gateway", () => {
  it("is the last question's, whichever comes first", async () => {
    const waiting: Array<(answer: Record<string, unknown>) => void> = [];
    const loaded = createLoaded<{ n: number }>({ call: () => new Promise((resolve) => waiting.push(resolve)) });
    const first = loaded.load("/1");
    const second = loaded.load("/2");
    waiting[1]!({ n: 2 });
    waiting[0]!({ n: 1 });
    await Promise.all([first, second]);
    expect(loaded.data).toEqual({ n: 2 });
    expect(loaded.loading).toBe(false);
  });

  it("that is a problem takes the old numbers away and says why", async () => {
    const call = vi.fn().mockResolvedValueOnce({ n: 1 }).mockRejectedValueOnce(new Error("日期反了。"));
    const loaded = createLoaded<{ n: number }>({ call });
    await loaded.load("/1");
    await loaded.load("/2");
    expect([loaded.data, loaded.trouble]).toEqual([null, "日期反了。"]);
  });
});

describe("a figure", () => {
  it("of too few people says so, and one nobody knows is not zero", () => {
    expect(valueWords({ ...FIGURE, value: null, hidden: true }, 5)).toBe("少于 5 人，不显示");
    expect(valueWords({ ...FIGURE, value: null }, 5)).toBe("不知道");
    expect(valueWords({ ...FIGURE, value: 0 }, 5)).toBe("0.0%");
  });

  it("is read in its unit", () => {
    expect([shown(1234, "count"), shown(3.456, "seconds"), shown(150, "seconds"), shown(5000, "seconds"), shown(4.5, "score"), shown(null, "days")]).toEqual(
      ["1,234", "3.5 秒", "2 分 30 秒", "1 小时 23 分", "4.50 分", "—"],
    );
  });

  it("tells in words whether the change is good", () => {
    expect(change(FIGURE)).toEqual({ words: "▲ 好转 · 前一段 60.0%", mood: "good" });
    expect(change({ ...FIGURE, better: "down" }).mood).toBe("bad");
    expect(change({ ...FIGURE, better: "" })).toEqual({ words: "▲ 前一段 60.0%", mood: "even" });
    expect(change({ ...FIGURE, before: 0.70001 }).words).toContain("持平");
    expect(change({ ...FIGURE, before: null }).mood).toBe("even");
  });

  it("that this page does not know yet is shown all the same", () => {
    expect(groups({ brand_new: FIGURE, containment: FIGURE }).map((group) => group.title)).toEqual(["机器答得怎样", "其他"]);
  });

  it("of work orders has no course over time", () => {
    expect(overTime({ orders_filed: FIGURE, calls: FIGURE }).map((card) => card.key)).toEqual(["calls"]);
  });

  it("is laid out over the hours of a week with holes where nothing is known", () => {
    const cellsOfWeek = weekOf([{ hour_of_week: 25, turns: 8 }, { hour_of_week: 167, turns: null }], "turns");
    expect([cellsOfWeek[1]![1], cellsOfWeek[0]![0], cellsOfWeek[6]![23]]).toEqual([8, null, null]);
  });

  it("has its hour, day or month beside it", () => {
    expect([2026112513, 20261125, 202611].map(bucketWords)).toEqual(["11-25 13 时", "11-25", "2026-11"]);
  });
});

describe("a chart", () => {
  it("tells its lines apart by dash and symbol, not by colour alone", () => {
    const { series } = lines(["a"], [{ name: "x", values: [1] }, { name: "y", values: [2] }], "count") as { series: Array<Record<string, any>> };
    expect(series[0]!.symbol).not.toBe(series[1]!.symbol);
    expect(series[0]!.lineStyle.type).not.toBe(series[1]!.lineStyle.type);
  });

  it("writes the value beside each bar, and leaves a hidden hour empty", () => {
    const bar = bars([{ name: "a", value: 0.5 }], "share") as { series: Array<Record<string, any>> };
    expect(bar.series[0]!.label.formatter({ value: 0.5 })).toBe("50.0%");
    const heat = week([[null, 3]], "count") as { series: Array<{ data: unknown }>; visualMap: { max: number } };
    expect(heat.series[0]!.data).toEqual([[1, 0, 3]]);
    expect(heat.visualMap.max).toBe(3);
  });

  it("tells the parts of a whole apart by pattern", () => {
    const { aria } = stacked(["a"], [{ name: "x", values: [1] }, { name: "y", values: [2] }], "count") as { aria: { decal: { show: boolean } } };
    expect(aria.decal.show).toBe(true);
  });

  it("leaves a hole where an hour is hidden, and writes short numbers at its axes", () => {
    expect((columns(["1 时"], [null], "count") as { series: Array<{ data: unknown }> }).series[0]!.data).toEqual([null]);
    expect([axisWords(0.25, "share"), axisWords(25_000, "count"), axisWords(0.1 + 0.2, "score")]).toEqual(["25%", "2.5 万", "0.3"]);
  });
});

describe("a conversation behind a figure", () => {
  const row = {
    conversation_id: "c1", channel: "voice", town: "", area: "education", department: "", rating: null,
    started_at: "2026-11-24T17:00:00+00:00", ended_at: "2026-11-24T17:01:05+00:00",
  }; // prettier-ignore

  it("is told in Foshan's time, and what is not known is called so", () => {
    expect(timeWords(row.started_at)).toBe("2026-11-25 01:00");
    expect(lengthWords(row)).toBe("1 分 5 秒");
    expect(marks({ ...row, handoff_reason: "asked", rating: 2, score: 75, agreed_callback: true })).toEqual(["转人工：市民要人工", "评价 2 分", "同意回电", "质检 75 分"]);
    expect(marks({ ...row, score: 100 })).toEqual([]);
  });
});

describe("drilling down", () => {
  const look = lookOf("?from=2026-01-10&to=2026-02-20&town=狮山镇", NOW);
  const path = (narrow: string, measure = "handoffs"): URLSearchParams => new URL(behindPath({ ...look, narrow }, measure, 0), "http://x").searchParams;

  it("asks for the figure's conversations under the filters that are set", () => {
    expect(Object.fromEntries(path(""))).toEqual({ from: "2026-01-10", to: "2026-02-20", town: "狮山镇", measure: "handoffs", limit: "21", offset: "0" });
  });

  it("narrows to a day, or to a month as far as it is looked at", () => {
    expect(path("bucket:20260115").get("from")).toBe("2026-01-15");
    expect([path("bucket:202602").get("from"), path("bucket:202602").get("to")]).toEqual(["2026-02-01", "2026-02-20"]);
    expect(daysOf("202602")).toEqual({ from: "2026-02-01", to: "2026-02-28" });
    expect(daysOf("2026011513")).toEqual({ from: "2026-01-15", to: "2026-01-15" });
  });

  it("narrows to a part, an hour of the week, a topic, an agent, an alert", () => {
    expect(path("channel:voice").get("channel")).toBe("voice");
    expect(path("hour_of_week:34").get("hour_of_week")).toBe("34");
    expect([path("topic:3").get("topic_id"), path("topic:3").get("measure")]).toEqual(["3", null]);
    expect(path("agent:坐席03").get("agent")).toBe("坐席03");
    expect(behindPath({ ...look, narrow: "alert:7" }, "", 20)).toBe("/api/v1/insights/alerts/7/conversations?limit=21&offset=20");
  });

  it("says in words what it was narrowed to", () => {
    expect(["hour_of_week:34", "bucket:20260115", "town:狮山镇", "area:tax", "topic:3"].map((narrow) => narrowWords(narrow, () => "税务"))).toEqual(["周二 10 时", "01-15", "狮山镇", "税务", ""]);
  });

  it("reads a conversation line by line, and passes over what says nothing", () => {
    const WHO: Record<string, "bot" | "agent"> = { reply: "bot", agent_note: "agent" };
    const line = (type: string, data: Record<string, unknown>) => spoken({ seq: 1, at: "", who: WHO[type] ?? "house", type, text: String(data.text ?? ""), data });
    expect(line("reply", { text: "要身份证", sources: [{}, {}] })).toEqual({ who: "bot", name: "机器人", words: "要身份证", sources: 2 });
    expect(line("agent_note", { text: "请接着办", agent: "陈坐席" })?.name).toBe("陈坐席（交接说明）");
    expect(line("rating", { score: 2, comment: "" })?.words).toBe("市民评价 2 分");
    expect(line("queue", { position: 1 })).toBeNull();
    expect(line("transcript", { text: "要身份证吗" })).toBeNull(); // the message that follows says it
  });
});

describe("the work orders behind a figure", () => {
  const row: OrderRow = {
    number: "NH1", type_name: "投诉", town: "狮山镇", department: "城管", category_name: "噪声", state_name: "已办结", filed_at: "2026-03-02T02:00:00+00:00",
    due_on: "2026-03-05", completed_at: "2026-03-07T17:00:00+00:00", in_time: false, score: 2, returned: true, escalated: false, reopened: null, confidential: false,
  }; // prettier-ignore

  it("are asked for with the figure's days, filters and part", () => {
    const look = lookOf("?from=2026-03-01&to=2026-03-31&town=狮山镇&narrow=department:城管", NOW);
    expect(decodeURIComponent(ordersPath(look, "completed", 20))).toBe("/api/v1/insights/work-orders?from=2026-03-01&to=2026-03-31&town=狮山镇&department=城管&measure=completed&limit=21&offset=20");
    const figures = { order_days: { order_measure: "handling_days", title: "办理天数" } as Figure };
    expect(listOf("order_days", figures)).toEqual({ title: "办理天数", measure: "handling_days" });
    expect(listOf("orders_overdue", {})).toEqual({ title: "超期工单", measure: "orders_overdue" });
    expect(listOf("order_days", {}).measure).toBe(""); // the figures are not there yet
    expect([isOrderFigure("orders_open"), isOrderFigure("handoffs")]).toEqual([true, false]);
  });

  it("say what was late and what happened, never who asked", () => {
    expect(orderClock(row)).toBe("期限 2026-03-05，2026-03-08 办结");
    expect(orderMarks(row)).toEqual(["超期办结", "退过单", "评价 2 分"]);
    expect(orderClock({ ...row, completed_at: null })).toBe("期限 2026-03-05，已超期");
    expect(orderMarks({ ...row, completed_at: null, in_time: null, returned: null, score: null })).toEqual([]);
  });
});

describe("the headline figures", () => {
  it("have containment and its honest counterpart side by side", () => {
    expect(HEADLINES.indexOf("contained_repeat_72h")).toBe(HEADLINES.indexOf("containment") + 1);
    expect(cardsOf({ containment: FIGURE }, HEADLINES).map((card) => card.key)).toEqual(["containment"]);
  });

  it("tell why callers were handed over, the rest with them", () => {
    const share = (value: number): Figure => ({ ...FIGURE, value, measure: "m" });
    const told = { handoff_asked: share(0.5), handoff_not_understood: share(0.3), handoff_emergency: share(0), handoff_part_down: share(0) };
    const rows = handoffReasons(told);
    expect(rows[0]!.value).toBe(0.5);
    expect(rows.find((row) => row.measure === "handoff_other")!.value).toBeCloseTo(0.2);
    expect(handoffReasons({ ...told, handoff_asked: { ...FIGURE, value: null } }).every((row) => row.measure !== "handoff_other")).toBe(true);
  });
});

describe("the wall", () => {
  it("shows today, whatever day it is; other days and one town where the address names them", () => {
    const path = (search: string, now = NOW): string => decodeURIComponent(wallPath(search, now));
    expect(path("?view=wall")).toBe("/api/v1/insights/wall?from=2026-11-26&to=2026-11-26");
    expect(path("?view=wall", NOW + 86_400_000)).toContain("from=2026-11-27&to=2026-11-27");
    expect(path("?from=2026-11-18&to=2026-11-18&town=狮山镇")).toBe("/api/v1/insights/wall?from=2026-11-18&to=2026-11-18&town=狮山镇");
  });

  it("keeps its figures while the line cannot be reached, and drops them where it is not let in any more", async () => {
    const answers: Array<() => Response> = [
      () => Response.json({ k: 5 }),
      () => { throw new TypeError("no network"); },
      () => Response.json({ detail: "忙" }, { status: 503 }),
      () => Response.json({ detail: "显示码到期了" }, { status: 401 }),
      () => Response.json({ k: 6 }),
    ]; // prettier-ignore
    const sent: RequestInit[] = [];
    const feed = createWallFeed(askWithCode("wall_x", async (_path, init) => (sent.push(init), answers.shift()!())), () => NOW);
    const seen: unknown[] = [];
    for (let n = 0; n < 5; n += 1) {
      await feed.refresh("/wall");
      seen.push([feed.told?.k ?? null, feed.trouble]);
    }
    expect(seen).toEqual([[5, ""], [5, "连不上服务，正在重试。"], [5, "忙"], [null, "显示码到期了"], [6, ""]]);
    expect(sent[0]).toMatchObject({ credentials: "omit", headers: { Authorization: "Bearer wall_x" } });
    expect(feed.at).toBe(NOW);
  });

  it("tells early that its code ends, and takes a newer page at four in the morning", () => {
    expect([endsSoon("2026-12-01T00:00:00Z", NOW), endsSoon("2027-03-01T00:00:00Z", NOW), endsSoon(undefined, NOW)]).toEqual([6, null, null]);
    const four = Date.parse("2026-11-26T20:10:00Z");
    expect([dueForReload(NOW, four), dueForReload(NOW, four + 3_600_000), dueForReload(four - 3_600_000, four)]).toEqual([true, false, false]);
  });

  it("gives every hour of a day its place; one that is hidden is a hole", () => {
    const bars = wallBars({ grain: "hour", buckets: [2026111808, 2026111810], series: { conversations: [7, null] }, titles: {} });
    expect([bars.labels.length, bars.values[8], bars.values[9], bars.values[10]]).toEqual([24, 7, 0, null]);
    expect(wallBars(null).labels).toEqual([]);
  });
});

describe("a review", () => {
  it("that waits stands apart from those that are done", () => {
    const review = (id: string, done: string | null): Review => ({ conversation_id: id, reviewer: "li", place: 1, passed: null, score: null, note: "", asked_at: "", done_at: done });
    const { waiting, done } = toDo([review("a", "2026-01-01"), review("b", null), review("c", "2026-01-02")]);
    expect([waiting.map((each) => each.conversation_id), done.map((each) => each.conversation_id)]).toEqual([["b"], ["c", "a"]]);
  });

  it("says how far two reviewers agree", () => {
    expect([kappaWords(null), kappaWords(0.9), kappaWords(0.1)]).toEqual(["还没有两位都看完的对话", "κ = 0.90，几乎完全一致", "κ = 0.10，几乎不一致"]);
  });
});

describe("an evaluation", () => {
  it("is read from the report that make eval writes, or from its measures", () => {
    expect(measuresOf('{"measures": {"a": {"count": 1, "total": 2}}}')).toEqual({ a: { count: 1, total: 2 } });
    expect(measuresOf('{"a": 0.5}')).toEqual({ a: 0.5 });
    expect([measuresOf("[1]"), measuresOf("{"), measuresOf('{"a": "b"}')]).toEqual([null, null, null]);
  });

  it("puts what became worse first, and knows which measures are better when lower", () => {
    const rows = compared({
      before: { "questions.top1.all": { count: 90, total: 100 }, "questions.answered_wrongly.all": { count: 1, total: 100 }, other: 1 },
      after: { "questions.top1.all": { count: 95, total: 100 }, "questions.answered_wrongly.all": { count: 3, total: 100 }, other: 1 },
    });
    expect(rows.map((row) => [row.title, row.mood])).toEqual([["单句提问：肯定地答错", "worse"], ["单句提问：事项排第一", "better"]]);
    expect(compared(undefined)).toEqual([]);
  });
});

describe("answer recall", () => {
  it("says what came of asking to call, and what was cited in words", () => {
    expect(calledWords({ made: 3, already: 0, without_number: 0 })).toBe("已给坐席派了 3 个回电任务。");
    expect(calledWords({ made: 3, already: 2, without_number: 1 })).toContain("2 人先前已在名单上；其中 1 人没有留号码");
    expect(citedWords(["facts.fee@2026-11-01"])).toBe("费用（2026-11-01 版）");
  });
});

describe("a topic", () => {
  const topic = (more: Partial<Topic>): Topic => ({ id: 1, name: "", words: [], examples: [], turns: 9, people: 9, before: 6, course: [], pinned: false, renamed: false, mined_name: "", merged: [], ...more });

  it("that is pinned stands first, the others keep their order", () => {
    expect(inOrder([topic({ id: 1 }), topic({ id: 2, pinned: true }), topic({ id: 3 })]).map((each) => each.id)).toEqual([2, 1, 3]);
  });

  it("can have every change taken back", () => {
    const known = topic({ id: 4, name: "停水", mined_name: "水" });
    expect(undoOf(known, { merge_into: 9 }, () => "水电")).toEqual({ words: "「停水」已并进「水电」", topic: 4, back: { merge_into: null } });
    expect(undoOf(known, { name: "没水" }, String).back).toEqual({ name: "" });
    expect(undoOf({ ...known, renamed: true }, { name: "没水" }, String).back).toEqual({ name: "停水" });
    expect(undoOf(known, { pinned: true }, String).back).toEqual({ pinned: false });
  });

  it("is found by its name, its words, what people said, or what was merged into it", () => {
    const list = [topic({ id: 1, name: "停水" }), topic({ id: 2, words: ["停电"] }), topic({ id: 3, examples: ["没电了"] }), topic({ id: 4, merged: [{ id: 9, name: "电网" }] })];
    expect(found(list, " 电 ").map((each) => each.id)).toEqual([2, 3, 4]);
    expect(found(list, "")).toHaveLength(4);
  });

  it("says by how much it rose, and nothing of a time too few asked", () => {
    expect(riseWords(topic({}))).toBe("▲ 多了 3（前一段 6）");
    expect(riseWords(topic({ before: null }))).toContain("不显示");
  });

  it("breaks its line where a value is hidden, so that it is not read as zero", () => {
    expect(spark([1, null, 2, 2])).toHaveLength(2);
    expect(spark([])).toEqual([]);
  });
});

describe("an alert", () => {
  const span = { from: "2026-11-25", to: "2026-11-25", town: "" };

  it("that comes live joins the list once, newest first", () => {
    const list = withAlert([{ ...ALERT, alert_id: 3 }], ALERT, span);
    expect(withAlert(list, { ...ALERT, state: "known" }, span).map((each) => [each.alert_id, each.state])).toEqual([[7, "known"], [3, "open"]]);
  });

  it("is known by the words that were typed, each once", () => {
    expect(wordsOf("停水、来水， 停水 没水")).toEqual(["停水", "来水", "没水"]);
  });

  it("says how many times the usual it is, but divides by no nothing", () => {
    expect([timesWords(ALERT), timesWords({ ...ALERT, expected: 0.02 })]).toEqual(["是平常的 9 倍", "平常几乎没有人说"]);
  });

  it("of another town or another day stays out", () => {
    expect(withAlert([], ALERT, { ...span, town: "大沥镇" })).toEqual([]);
    expect(withAlert([], ALERT, { ...span, from: "2026-11-26", to: "2026-11-27" })).toEqual([]);
  });

  it("is read from the stream; a broken frame is passed over", () => {
    const heard: Record<string, (event: unknown) => void> = {};
    const source = { addEventListener: (name: string, on: (event: unknown) => void) => (heard[name] = on), close: vi.fn() };
    const alerts: number[] = [];
    const open = vi.fn(() => source as unknown as EventSource);
    alertStream(6, { alert: (alert) => alerts.push(alert.alert_id), live: () => {} }, open);
    heard.alert!({ data: JSON.stringify(ALERT) });
    heard.alert!({ data: "{" });
    expect(open).toHaveBeenCalledWith("/api/v1/insights/alerts/stream?after=6");
    expect(alerts).toEqual([7]);
    expect(alertOf("{}")).toBeNull();
  });
});

describe("a proposal", () => {
  it("for a gap no guide fits begins as a new guide with what people said", () => {
    const draft = draftOf(GAP);
    expect(bodyOf({ ...draft, area: "environment" }, GAP)).toEqual({ kind: "guide", name: "养狗", area: "environment", questions: ["养狗怎么办证"] });
  });

  it("for a known service adds a question to its guide", () => {
    const known = { ...GAP, item_keys: ["JZ02"] };
    expect(bodyOf(draftOf(known), known)).toEqual({ kind: "question", item_key: "JZ02", phrase: "养狗怎么办证" });
  });

  it("shows what is added and taken, but not the heads of the diff", () => {
    expect(diffLines("--- a\n+++ b\n-x\n+y\n z").map((line) => line.kind)).toEqual(["same", "same", "taken", "added", "same"]);
  });

  it("and a broken rule are told by name", () => {
    expect(brokenWords([{ rule: "greeting" }, { rule: "other", detail: "x" }], [{ rule: "greeting", title: "问候", weight: 1, broken: 1 }])).toBe("问候；other（x）");
  });
});
