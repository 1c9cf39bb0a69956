import { describe, expect, it, vi } from "vitest";
import { mayActAs, pagesFor } from "../src/lib/staff/roles";
import { createSession, type Tabs } from "../src/lib/staff/session";
import { createStaffApi, csrfFromCookie, StaffNetworkError, StaffProblem } from "../src/lib/staff/staffApi";

const OVER = { status: 401, body: { code: "sign_in_required", detail: "请重新登录。" } };
const LI = { username: "li", display_name: "李华", roles: ["agent"], role_names: ["坐席"] };
const WANG = { ...LI, username: "wang" };

interface Answer {
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
}

/** A gateway that gives these answers, in order; the calls are kept. */
function gateway(...answers: Answer[]) {
  const asked: Array<{ path: string; init: RequestInit }> = [];
  const fetch = vi.fn(async (path: string, init: RequestInit) => {
    asked.push({ path, init });
    const next = answers.shift();
    if (!next) throw new TypeError("network");
    const status = next.status ?? 200;
    const words = status === 204 ? null : JSON.stringify(next.body ?? {});
    return new Response(words, { status, headers: next.headers });
  });
  return { fetch, asked };
}

function api(answers: Answer[], signInAgain = vi.fn(async () => {})) {
  const line = gateway(...answers);
  return { ...line, signInAgain, api: createStaffApi({ fetch: line.fetch, csrfToken: () => "c5rf", signInAgain }) };
}

class OtherTabs implements Tabs {
  told: unknown[] = [];
  onmessage: ((event: MessageEvent) => void) | null = null;
  postMessage(message: unknown): void {
    this.told.push(message);
  }
  say(message: string): void {
    this.onmessage?.({ data: message } as MessageEvent);
  }
}

function session(...answers: Answer[]) {
  const tabs = new OtherTabs();
  const reload = vi.fn();
  const line = gateway(...answers);
  return { ...line, tabs, reload, session: createSession({ fetch: line.fetch, tabs, reload }) };
}

describe("calls of a signed-in person", () => {
  it("a change carries the CSRF token, a look does not", async () => {
    const { api: calls, asked } = api([{}, {}]);
    await calls.call("POST", "/x", { a: 1 });
    await calls.call("GET", "/y");
    expect(asked[0]?.init.headers).toMatchObject({ "X-CSRF-Token": "c5rf", "Content-Type": "application/json" });
    expect(asked[1]?.init.headers).not.toHaveProperty("X-CSRF-Token");
  });

  it("a session that is over is renewed and the same call made once more", async () => {
    const { api: calls, asked, signInAgain } = api([OVER, { body: { done: true } }]);
    expect(await calls.call("POST", "/x", { text: "写了很久的话" })).toEqual({ done: true });
    expect(signInAgain).toHaveBeenCalledTimes(1);
    expect(asked[1]?.init.body).toBe(asked[0]?.init.body);
  });

  it("a session that is over again is a problem, not a loop", async () => {
    const { api: calls, signInAgain } = api([OVER, OVER]);
    await expect(calls.call("GET", "/x")).rejects.toMatchObject({ code: "sign_in_required" });
    expect(signInAgain).toHaveBeenCalledTimes(1);
  });

  it("a problem brings its code, its sentence and when to try again", async () => {
    const locked = { status: 429, body: { code: "sign_in_locked", detail: "请在 14:35 之后再试" }, headers: { "Retry-After": "600" } };
    const error = await api([locked]).api.call("POST", "/x").catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(StaffProblem);
    expect(error).toMatchObject({ status: 429, code: "sign_in_locked", message: "请在 14:35 之后再试", retryAfterS: 600 });
  });

  it("no answer is a network error, an empty one is empty", async () => {
    const { api: calls } = api([{ status: 204 }]);
    expect(await calls.call("POST", "/x")).toEqual({});
    await expect(calls.call("GET", "/x")).rejects.toBeInstanceOf(StaffNetworkError);
  });

  it("the CSRF token is read from its cookie among others", () => {
    expect(csrfFromCookie("a=1; hotline_csrf=0af9; b=2")).toBe("0af9");
    expect(csrfFromCookie("xhotline_csrf=0af9")).toBe("");
  });
});

describe("who is signed in", () => {
  it("nobody is, then somebody signs in and the other tabs hear it", async () => {
    const { session: mine, tabs } = session(OVER, { body: LI });
    await mine.check();
    expect(mine.view.state).toBe("out");
    await mine.signIn("li", "secret-enough");
    expect(mine.view).toMatchObject({ state: "in", person: { username: "li", roles: ["agent"] } });
    expect(tabs.told).toEqual(["in"]);
  });

  it("a lapsed session keeps the page and its call waits for the same person", async () => {
    const { session: mine } = session({ body: LI }, OVER, { body: LI }, { body: { saved: true } });
    await mine.check();
    const saving = mine.api.call("POST", "/save", {});
    await vi.waitFor(() => expect(mine.view.state).toBe("lapsed"));
    expect(mine.view.person?.username).toBe("li");
    await mine.signIn("li", "secret-enough");
    expect(await saving).toEqual({ saved: true });
    expect(mine.view.state).toBe("in");
  });

  it("a page that opens signed in tells the other tabs, and those do not answer back", async () => {
    const { session: mine, tabs } = session({ body: LI }, OVER, { body: LI }, { body: { saved: true } });
    await mine.check();
    expect(tabs.told).toEqual(["in"]);
    const saving = mine.api.call("POST", "/save", {});
    await vi.waitFor(() => expect(mine.view.state).toBe("lapsed"));
    tabs.say("in"); // signed on in another tab
    expect(await saving).toEqual({ saved: true });
    expect(tabs.told).toEqual(["in"]);
  });

  it("somebody else signing in opens the page anew: what it shows is not theirs", async () => {
    const { session: mine, reload, tabs } = session({ body: LI }, { body: WANG });
    await mine.check();
    tabs.say("in");
    await vi.waitFor(() => expect(reload).toHaveBeenCalledTimes(1));
    expect(mine.view.person?.username).toBe("li");
  });

  it("signing out in one tab ends the others and their waiting calls", async () => {
    const { session: mine, tabs } = session({ body: LI }, OVER);
    await mine.check();
    const saving = mine.api.call("POST", "/save", {});
    await vi.waitFor(() => expect(mine.view.state).toBe("lapsed"));
    tabs.say("out");
    await expect(saving).rejects.toMatchObject({ code: "sign_in_required" });
    expect(mine.view).toMatchObject({ state: "out", person: null });
  });

  it("a gateway that is away is not taken for being signed out", async () => {
    const { session: mine } = session();
    await mine.check();
    expect(mine.view.state).toBe("unreachable");
    const { session: inside } = session({ body: LI });
    await inside.check();
    await inside.check();
    expect(inside.view).toMatchObject({ state: "in", trouble: "网络不通，系统没有应答。请检查网络后再试。" });
  });

  it("work is told to the gateway at most every five minutes", async () => {
    const { session: mine, asked } = session({ body: LI }, { body: LI });
    await mine.check();
    const start = Date.now();
    mine.atWork(start + 60_000);
    expect(asked).toHaveLength(1);
    mine.atWork(start + 301_000);
    mine.atWork(start + 302_000);
    expect(asked).toHaveLength(2);
  });

  it("roles that nobody knows open nothing", async () => {
    const { session: mine } = session({ body: { ...LI, roles: ["king", 7] } });
    await mine.check();
    expect(mine.view.person?.roles).toEqual([]);
  });
});

describe("pages and roles", () => {
  it("each role has its pages", () => {
    const paths = (...roles: Parameters<typeof pagesFor>[0][number][]) => pagesFor(roles).map((page) => page.path);
    expect(paths("agent")).toEqual(["/desk", "/desk/orders"]);
    expect(paths("supervisor")).toEqual(["/desk", "/desk/orders", "/insights"]);
    expect(paths("manager")).toEqual(["/desk/orders", "/insights"]);
    expect(paths("admin")).toEqual([]);
    expect(mayActAs([], ["agent"])).toBe(false);
  });
});
