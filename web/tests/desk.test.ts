import { beforeEach, describe, expect, it, vi } from "vitest";
import { createDesk, type DeskParts } from "../src/lib/desk/deskStore";
import { DeskStream, type DeskStreamHandlers } from "../src/lib/desk/deskStream";
import { asked, SHORTCUTS } from "../src/lib/desk/shortcuts";
import { answerId, knownTown, lineOf, secondsLeft, taught, withLine } from "../src/lib/desk/talk";
import type { DeskFrame, Line, Picture } from "../src/lib/desk/types";
import { StaffNetworkError, StaffProblem } from "../src/lib/staff/staffApi";
import { asSocket, FakeSocket } from "./fakes";

const AT = "2026-11-25T08:00:00Z";

function line(seq: number, who: Line["who"], text: string): Line {
  return { seq, at: AT, who, type: `${who}_message`, text, data: {} };
}

describe("the desk's event socket", () => {
  const frames: DeskFrame[] = [];
  let refused = 0;
  const handlers: DeskStreamHandlers = { onFrame: (f) => frames.push(f), onStatus: () => {}, onRefused: () => (refused += 1) };
  const opened = (): DeskStream => {
    const stream = new DeskStream(7, handlers, (url) => asSocket(new FakeSocket(url)), "http://desk");
    stream.start();
    return stream;
  };
  const greet = (): void => {
    FakeSocket.last.accept();
    FakeSocket.last.receive({ type: "hello", seq: 7, username: "mei", state: "paused" });
  };

  beforeEach(() => {
    vi.useFakeTimers();
    FakeSocket.made = [];
    frames.length = 0;
    refused = 0;
  });

  it("comes back after the last event it has seen, and tells none twice", () => {
    const stream = opened();
    greet();
    FakeSocket.last.receive({ type: "queue", seq: 8, at: AT, data: {} });
    FakeSocket.last.drop();
    vi.advanceTimersByTime(2_000);
    expect(FakeSocket.last.url).toBe("ws://desk/api/v1/desk/events?after=8");
    greet();
    FakeSocket.last.receive({ type: "queue", seq: 8, at: AT, data: {} });
    expect(frames.filter((frame) => frame.type === "queue")).toHaveLength(1);
    stream.stop();
  });

  it("watches the same conversations again from where it was", () => {
    const stream = opened();
    greet();
    stream.watch("c1", 3);
    FakeSocket.last.receive({ type: "conversation", conversation_id: "c1", event: { seq: 5, type: "citizen_message" } });
    FakeSocket.last.drop();
    vi.advanceTimersByTime(2_000);
    greet();
    expect(FakeSocket.last.texts).toContainEqual({ type: "watch", conversation_id: "c1", after: 5 });
    stream.stop();
  });

  it("leaves a line that does not answer a ping", () => {
    const stream = opened();
    greet();
    vi.advanceTimersByTime(20_000);
    expect(FakeSocket.last.texts).toContainEqual({ type: "ping" });
    vi.advanceTimersByTime(20_000);
    expect(FakeSocket.made).toHaveLength(2);
    stream.stop();
  });

  it("stops where the session is over", () => {
    opened();
    greet();
    FakeSocket.last.drop(4401);
    vi.advanceTimersByTime(60_000);
    expect([refused, FakeSocket.made.length]).toEqual([1, 1]);
  });
});

describe("a conversation's lines", () => {
  it("come into their place once", () => {
    const lines = withLine(withLine([line(1, "citizen", "一")], line(4, "bot", "四")), line(2, "agent", "二"));
    expect(withLine(lines, line(2, "agent", "二")).map((each) => each.seq)).toEqual([1, 2, 4]);
  });

  it("leave out what nobody reads", () => {
    expect(lineOf({ seq: 3, type: "speech", at: AT, data: {} })).toBeNull();
    expect(lineOf({ seq: 3, type: "agent_message", at: AT, data: { text: "好" } })?.who).toBe("agent");
  });

  it("give the same answer to the same last line the same id, whichever tab sends it", () => {
    const lines = [line(1, "citizen", "要带什么")];
    expect(answerId(lines, "身份证")).toBe(answerId([...lines], "身份证"));
    expect(answerId(lines, "身份证")).not.toBe(answerId(lines, "户口簿"));
    expect(answerId([...lines, line(2, "citizen", "还有呢")], "身份证")).not.toBe(answerId(lines, "身份证"));
  });
});

it("the countdown goes by the gateway's clock", () => {
  expect(secondsLeft("2026-11-25T08:00:20Z", 5_000, Date.parse(AT))).toBe(15);
  expect(secondsLeft("2026-11-25T08:00:20Z", 60_000, Date.parse(AT))).toBe(0);
});

it("what was left empty is not told the bot", () => {
  expect(taught({ town: " 桂城街道 ", service_item: "" })).toEqual({ town: "桂城街道" });
});

it("the town that the citizen has told is filled in at the hand-back", () => {
  const picture = { slots: { town: "大沥镇" }, entry: null } as unknown as Picture;
  expect(knownTown(picture)).toBe("大沥镇");
  expect(knownTown(picture, { town: "桂城街道" })).toBe("桂城街道");
});

it("every shortcut has its own key, and none works without Alt", () => {
  expect(new Set(SHORTCUTS.map((each) => each.code)).size).toBe(SHORTCUTS.length);
  const key = { altKey: true, ctrlKey: false, metaKey: false, code: "KeyA" };
  expect(asked(key)).toBe("accept");
  expect(asked({ ...key, code: "Digit2" })).toBe(1);
  expect(asked({ ...key, altKey: false })).toBeNull();
});

describe("the desk", () => {
  const calls: Array<{ verb: string; path: string; body: unknown }> = [];
  let answers: Record<string, unknown>;
  let handlers: DeskStreamHandlers;
  let rings: string[];
  let watched: Array<[string, number]>;

  const entry = (state: string, agent: string | null) => ({
    entry_id: "e1", conversation_id: "c1", channel: "web", state, reason: "word", urgency: "normal", queued_at: AT, agent,
  });
  const queue = (more: object = {}) => ({
    waiting: [], serving: [], agents: [{ username: "mei", state: "ready" }], offers: [], callbacks: 0, seq: 3, ...more,
  });
  const served = () => queue({ serving: [entry("serving", "mei")] });
  const picture = () => ({ conversation_id: "c1", channel: "web", state: "agent", seq: 2, transcript: [line(2, "citizen", "要带什么")], slots: {} });

  async function desk() {
    const parts: DeskParts = {
      api: {
        call: (verb, path, body) => {
          calls.push({ verb, path: path.replace("/api/v1/desk", ""), body });
          const answer = answers[path.replace("/api/v1/desk", "")] ?? {};
          if (answer instanceof Promise) return answer as Promise<Record<string, unknown>>;
          return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer as Record<string, unknown>);
        },
        callOnce: () => Promise.resolve({}),
      },
      notice: { ring: (words) => rings.push(words), quiet: () => rings.push("") },
      openStream: (_after, given) => {
        handlers = given;
        return {
          start: () => given.onStatus(true), stop: () => given.onStatus(false),
          watch: (id, seq) => watched.push([id, seq]), unwatch: () => {}, typing: () => {},
        };
      },
      now: () => Date.parse(AT),
    };
    const made = createDesk(parts);
    await made.arrive();
    return made;
  }
  const sent = () => calls.filter((each) => each.path.endsWith("/messages")).map((each) => each.body as { text: string; client_message_id: string });

  beforeEach(() => {
    vi.useRealTimers();
    calls.length = 0;
    rings = [];
    watched = [];
    answers = {
      "/me": { username: "mei" }, "/queue": queue(), "/assist/templates": { templates: [] }, "/assist/check": { warnings: [] },
      "/conversations/c1": picture(), "/conversations/c1/assist": { text: "", passages: [], fields: {} },
      "/conversations/c1/messages": { repeated: false },
    };
  });

  it("rings for an offer to oneself until it has ended", async () => {
    const made = await desk();
    answers["/queue"] = queue({ offers: [{ offer_id: "o1", conversation_id: "c1", agent: "mei", state: "open" }, { offer_id: "o2", agent: "lan", state: "open" }] });
    handlers.onFrame({ type: "offer", seq: 4, at: AT, conversation_id: "c1", agent: "mei", data: {} });
    await vi.waitFor(() => expect(made.view.offers.map((each) => each.offer_id)).toEqual(["o1"]));
    answers["/queue"] = queue();
    await made.refresh();
    expect(rings).toEqual(["【来话】请接起", ""]);
  });

  it("shows what is said while the conversation is open, and asks for help with it", async () => {
    answers["/queue"] = served();
    const made = await desk();
    await made.show("c1");
    expect(watched).toContainEqual(["c1", 2]);
    calls.length = 0;
    handlers.onFrame({ type: "conversation", conversation_id: "c1", event: { seq: 3, type: "citizen_message", at: AT, data: { text: "在吗" } } });
    expect(made.view.picture?.transcript.at(-1)?.text).toBe("在吗");
    expect(calls.map((each) => each.path)).toEqual(["/conversations/c1/assist"]);
  });

  const passage = (item_name: string) => ({ item_key: "k", item_name, aspect: "materials", score: 1, reply: { text: item_name } });
  const says = (seq: number, text: string): void =>
    handlers.onFrame({ type: "conversation", conversation_id: "c1", event: { seq, type: "citizen_message", at: AT, data: { text } } });

  it("keeps the help with the last sentence when that with an older one arrives after it", async () => {
    answers["/queue"] = served();
    let older: (answer: unknown) => void = () => {};
    answers["/conversations/c1/assist"] = new Promise((resolve) => (older = resolve));
    const made = await desk();
    await made.show("c1");
    answers["/conversations/c1/assist"] = { text: "要带什么", passages: [passage("居住证")], fields: { town: "桂城街道" } };
    says(3, "要带什么");
    await vi.waitFor(() => expect(made.view.assistState).toBe("told"));
    older({ text: "转人工", passages: [], fields: {} });
    await Promise.resolve();
    await Promise.resolve();
    expect(made.view.assist?.fields).toEqual({ town: "桂城街道" });
  });

  it("says that help failed, never that there is none, and asks again by itself", async () => {
    answers["/queue"] = served();
    const made = await desk();
    await made.show("c1");
    await vi.waitFor(() => expect(made.view.assistState).toBe("told"));
    vi.useFakeTimers();
    answers["/conversations/c1/assist"] = new StaffProblem(503, "actions_down", "查资料的服务暂时没有响应。");
    says(3, "要带什么");
    expect(made.view.assistState).toBe("asking");
    await vi.advanceTimersByTimeAsync(0);
    expect([made.view.assistState, made.view.assistTrouble]).toEqual(["failed", "查资料的服务暂时没有响应。"]);
    answers["/conversations/c1/assist"] = { text: "要带什么", passages: [passage("居住证")], fields: {} };
    await vi.advanceTimersByTimeAsync(1_000);
    expect([made.view.assistState, made.view.assist?.passages.length]).toEqual(["told", 1]);
  });

  it("stops asking for help by itself after three more tries", async () => {
    answers["/queue"] = served();
    const made = await desk();
    vi.useFakeTimers();
    answers["/conversations/c1/assist"] = new StaffNetworkError();
    await made.show("c1");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(calls.filter((each) => each.path.endsWith("/assist"))).toHaveLength(4);
    expect(made.view.assistState).toBe("failed");
  });

  it("goes on after the last line read when another conversation is looked at, and marks what is new", async () => {
    answers["/queue"] = served();
    answers["/conversations/c2"] = { ...picture(), conversation_id: "c2" };
    const made = await desk();
    await made.show("c1");
    handlers.onFrame({ type: "conversation", conversation_id: "c1", event: { seq: 6, type: "citizen_message", at: AT, data: { text: "在吗" } } });
    await made.show("c2");
    expect(watched.filter(([id]) => id === "c1").at(-1)).toEqual(["c1", 6]);
    expect(made.view.unread).toEqual([]);
    handlers.onFrame({ type: "conversation", conversation_id: "c1", event: { seq: 7, type: "citizen_message", at: AT, data: { text: "喂" } } });
    expect(made.view.unread).toEqual(["c1"]);
  });

  it("sends nothing that is stopped, and what is doubtful only when the agent is sure", async () => {
    answers["/queue"] = served();
    const made = await desk();
    await made.show("c1");
    answers["/assist/check"] = { warnings: [{ code: "promise", level: "think", sentence: "别作保证。" }] };
    expect(await made.send("一定行")).toBe("warned");
    expect(sent()).toEqual([]);
    expect(await made.send("一定行", true)).toBe("sent");
    answers["/assist/check"] = { warnings: [{ code: "rude", level: "stop", sentence: "不能发。" }] };
    expect(await made.send("滚", true)).toBe("warned");
    expect(sent()).toHaveLength(1);
  });

  it("keeps the words and their id when nobody knows whether they arrived", async () => {
    answers["/queue"] = served();
    const made = await desk();
    await made.show("c1");
    made.setDraft("带身份证");
    answers["/conversations/c1/messages"] = new StaffNetworkError();
    expect(await made.send(made.draft())).toBe("failed");
    expect(made.draft()).toBe("带身份证");
    handlers.onFrame({ type: "conversation", conversation_id: "c1", event: { seq: 3, type: "agent_message", at: AT, data: { text: "带身份证" } } });
    answers["/conversations/c1/messages"] = { repeated: true };
    expect(await made.send(made.draft())).toBe("repeated");
    expect(sent()[0]?.client_message_id).toBe(sent()[1]?.client_message_id);
    expect(made.draft()).toBe("");
  });

  it("fills in without sending", async () => {
    answers["/queue"] = served();
    const made = await desk();
    await made.show("c1");
    made.setDraft("您好");
    made.fill("带身份证");
    expect(made.draft()).toBe("您好\n带身份证");
    expect(sent()).toEqual([]);
  });

  it("tells the gateway's sentence and looks again when somebody else was quicker", async () => {
    answers["/conversations/c1/take"] = new StaffProblem(409, "already_taken", "这次对话已经由别的坐席接待。");
    const made = await desk();
    await made.show("c1");
    calls.length = 0;
    expect(await made.take()).toBe(false);
    expect(made.view.trouble).toBe("这次对话已经由别的坐席接待。");
    expect(calls.map((each) => each.path)).toContain("/queue");
  });

  it("loses no press while another is under way", async () => {
    const made = await desk();
    calls.length = 0;
    await Promise.all([made.moveCallback("k", "claim"), made.moveCallback("k", "no_answer")]);
    expect(calls.filter((each) => each.verb === "POST").map((each) => (each.body as { step: string }).step)).toEqual(["claim", "no_answer"]);
  });

  it("tells an agent whose conversation was taken over", async () => {
    answers["/queue"] = served();
    const made = await desk();
    answers["/queue"] = queue({ serving: [entry("serving", "luo")], agents: [{ username: "luo", display_name: "罗班长", state: "busy" }] });
    await made.refresh();
    expect(made.view.notes.map((each) => each.text)).toEqual(["您接待的一个对话已由 罗班长 接管。"]);
  });

  it("shows who asks one onto a call, once", async () => {
    const made = await desk();
    const frame = { type: "invite", seq: 9, at: AT, conversation_id: "c1", agent: "mei", data: { call_id: "k1", by: "陈坐席" } } as const;
    handlers.onFrame(frame);
    handlers.onFrame({ ...frame, seq: 10 });
    expect(made.view.invitations).toEqual([{ seq: 10, conversationId: "c1", callId: "k1", by: "陈坐席" }]);
    made.endInvitation(10);
    expect(made.view.invitations).toEqual([]);
  });

  it("offers only the moves that the state allows", async () => {
    const made = await desk();
    expect([made.may("ready"), made.may("paused"), made.may("offline")]).toEqual([false, true, true]);
  });

  it("comes back by itself when a session has ended, but not round and round", async () => {
    const made = await desk();
    handlers.onFrame({ type: "hello", seq: 3, username: "mei", state: "ready" });
    const before = handlers;
    before.onRefused();
    await vi.waitFor(() => expect(handlers).not.toBe(before));
    calls.length = 0;
    handlers.onRefused();
    expect(made.view.refused).toBe(true);
    expect(calls.filter((each) => each.path === "/me")).toEqual([]);
  });

  it("leaves the desk's socket when one goes away", async () => {
    const made = await desk();
    await made.setState("offline");
    expect([made.view.away, made.view.connected]).toEqual([true, false]);
  });
});
