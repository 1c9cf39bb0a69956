import { describe, expect, it } from "vitest";
import { isNarrowed, lookOf, pathOf, queryOf } from "../src/lib/orders/look";
import { createOrders, type NewOrder } from "../src/lib/orders/ordersStore";
import { clockWords, dataWords, dayWords, moveKey, sizeWords } from "../src/lib/orders/words";
import { StaffProblem } from "../src/lib/staff/staffApi";

interface Asked {
  verb: string;
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
}

function line(answer: (asked: Asked) => unknown) {
  const asked: Asked[] = [];
  const call = async (verb: string, path: string, body?: unknown, headers?: Record<string, string>) => {
    const one = { verb, path, body, headers };
    asked.push(one);
    return (await answer(one)) as Record<string, unknown>;
  };
  return { asked, api: { call } };
}

const ORDER = { number: "NH1", version: 3, moves: [] };
const FIELDS = { note: " 核实过 ", department: "", days: null, main: "", score: null };

describe("what the list is narrowed to", () => {
  it("stands in the address and comes back from it", () => {
    const look = lookOf("q=噪声&state=dispatched&due=overdue&mine=1&page=3&order=NH1");
    expect(decodeURIComponent(queryOf(look))).toBe("q=噪声&state=dispatched&due=overdue&mine=1&page=3&order=NH1");
    expect(decodeURIComponent(pathOf(look))).toBe("/api/v1/work-orders?page=3&page_size=20&q=噪声&state=dispatched&due=overdue&mine=true");
    expect(isNarrowed(look)).toBe(true);
  });

  it("takes nonsense for nothing", () => {
    const look = lookOf("due=never&page=-2&mine=yes");
    expect([look.due, look.page, look.mine, isNarrowed(look), queryOf(look)]).toEqual(["", 1, "", false, ""]);
  });
});

describe("a work order in words", () => {
  const clock = (days_left: number | null, standing: "on_time" | "overdue" | "paused") => clockWords({ days_left, standing, standing_name: "已暂停" });

  it("counts working days, before and after the due day", () => {
    expect([clock(2, "on_time"), clock(0, "on_time"), clock(-3, "overdue"), clock(0, "overdue"), clock(null, "paused")]).toEqual(
      ["还剩 2 个工作日", "今天到期", "超期 3 个工作日", "已超期", "已暂停"],
    ); // prettier-ignore
    expect([dayWords("2026-12-03"), sizeWords(300), sizeWords(3 * 1024 * 1024), moveKey(0), moveKey(9)]).toEqual(["12月3日", "1 KB", "3.0 MB", "1", null]);
  });

  it("says what a step holds beside its note", () => {
    const step = { data: { department: "城管", days: 3 } } as unknown as Parameters<typeof dataWords>[0];
    expect(dataWords(step)).toBe("派给 城管，3 个工作日");
  });
});

describe("the store of the page", () => {
  it("shows the last question's answer, however late the first one comes", async () => {
    const open: Array<(found: unknown) => void> = [];
    const { api } = line(() => new Promise((resolve) => open.push(resolve)));
    const store = createOrders(api);
    const first = store.search(lookOf("q=一"));
    const second = store.search(lookOf("q=二"));
    open[1]!({ work_orders: [{ number: "NH2" }], total: 41 });
    open[0]!({ work_orders: [{ number: "NH1" }], total: 1 });
    await Promise.all([first, second]);
    expect([store.view.lines.map((each) => each.number), store.pages(), store.view.loading]).toEqual([["NH2"], 3, false]);
  });

  it("keeps the list where a quiet look fails, and says why", async () => {
    let works = true;
    const { api } = line(() => {
      if (!works) throw new Error("网络不通");
      return { work_orders: [{ number: "NH1" }], total: 1 };
    });
    const store = createOrders(api);
    await store.search(lookOf(""));
    works = false;
    await store.search(lookOf(""), true);
    expect([store.view.lines.length, store.view.listTrouble]).toEqual([1, "网络不通"]);
    await store.search(lookOf(""));
    expect(store.view.lines).toEqual([]);
  });

  it("moves the version that is shown; where somebody was faster, shows it anew and says so", async () => {
    let version = 3;
    const { asked, api } = line(({ verb, path }) => {
      if (verb === "PATCH" && version > 3) throw new StaffProblem(412, "version_conflict", "别人改过");
      return path.endsWith("/history") ? { history: [] } : { ...ORDER, version };
    });
    const store = createOrders(api);
    await store.open("NH1");
    await store.act("answer", FIELDS);
    expect(asked.find((each) => each.verb === "PATCH")).toMatchObject({ body: { move: "answer", note: "核实过" }, headers: { "If-Match": '"3"' } });
    version = 4;
    await expect(store.act("complete", FIELDS)).rejects.toThrow("别人改过");
    expect(store.view.order?.version).toBe(4);
  });

  it("files an order once, however often it is sent, and without a name where none was given", async () => {
    const { asked, api } = line(() => ({ number: "NH9" }));
    const given: NewOrder = { type: "complaint", description: " 半夜打桩 ", place: "", town: "桂城街道", category: "", contact_name: "", contact_mobile: "" };
    expect(await createOrders(api).fileNew(given, "key-1")).toBe("NH9");
    expect(asked[0]).toMatchObject({ body: { description: "半夜打桩", town: "桂城街道", anonymous: true }, headers: { "Idempotency-Key": "key-1" } });
  });
});
