import { describe, expect, it, vi } from "vitest";
import { alertOf, alertStream, type Alert, withAlert } from "../src/lib/insights/alerts";
import { cells, lengthWords, timeWords } from "../src/lib/insights/behind";
import { bars, lines, week } from "../src/lib/insights/charts";
import { bucketWords, change, type Figure, groups, overTime, shown, valueWords, weekOf } from "../src/lib/insights/figures";
import { bodyOf, brokenWords, diffLines, draftOf, type Gap } from "../src/lib/insights/gaps";
import { createLoaded } from "../src/lib/insights/loaded";
import { lookOf, pathOf, periodTrouble, searchOf } from "../src/lib/insights/look";
import { createPlace } from "../src/lib/insights/place";
import { inOrder, riseWords, spark, type Topic } from "../src/lib/insights/topics";

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
    expect([shown(1234, "count"), shown(3.456, "seconds"), shown(150, "seconds"), shown(4.5, "score"), shown(null, "days")]).toEqual(
      ["1,234", "3.5 秒", "2 分 30 秒", "4.50 分", "—"],
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
});

describe("a conversation behind a figure", () => {
  const row = {
    conversation_id: "c1", channel: "voice", town: "", area: "education", department: "", rating: null,
    started_at: "2026-11-24T17:00:00+00:00", ended_at: "2026-11-24T17:01:05+00:00",
  }; // prettier-ignore

  it("is told in Foshan's time, and what is not known is called so", () => {
    expect(timeWords(row.started_at)).toBe("2026-11-25 01:00");
    expect(lengthWords(row)).toBe("1 分 5 秒");
    expect(cells(row, () => "教育").slice(2)).toEqual(["电话", "不明", "教育", "不明", "没有评", "c1"]);
  });
});

describe("a topic", () => {
  const topic = (more: Partial<Topic>): Topic => ({ id: 1, name: "", words: [], examples: [], turns: 9, people: 9, before: 6, course: [], pinned: false, renamed: false, ...more });

  it("that is pinned stands first, the others keep their order", () => {
    expect(inOrder([topic({ id: 1 }), topic({ id: 2, pinned: true }), topic({ id: 3 })]).map((each) => each.id)).toEqual([2, 1, 3]);
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
