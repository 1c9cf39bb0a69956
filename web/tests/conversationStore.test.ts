import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type HotlineApi, NetworkError, ProblemError } from "../src/lib/api";
import { createConversationStore } from "../src/lib/conversationStore";
import type { Memory } from "../src/lib/memory";
import { FakeStream, fakeApi, freshMemory, reply, type Sent } from "./fakes";

let sent: Sent[];
let api: HotlineApi;
let memory: Memory;
let streams: FakeStream[];
let ids: number;

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  api = fakeApi(sent);
  memory = freshMemory();
  streams = [];
  ids = 0;
});

afterEach(() => vi.useRealTimers());

function makeStore() {
  return createConversationStore({
    api,
    memory,
    openStream: (_key, handlers) => {
      const stream = new FakeStream(handlers);
      streams.push(stream);
      return stream;
    },
    newId: () => `id-${(ids += 1)}`,
  });
}

type Store = ReturnType<typeof makeStore>;

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

async function opened(): Promise<Store> {
  const store = makeStore();
  await store.open();
  return store;
}

function shown(store: Store): string[] {
  return store.view.timeline.turns.flatMap((turn) => [
    ...(turn.text === null ? [] : [`我:${turn.text}`]),
    ...turn.replies.map((answer) => answer.text),
  ]);
}

describe("a conversation", () => {
  it("greets, remembers its key and listens", async () => {
    const store = await opened();
    expect(shown(store)).toEqual(["您好"]);
    expect(memory.conversation()).toEqual({ id: "c1", token: "secret" });
    expect(streams[0]?.started).toBe(true);
    expect(store.view.connection).toBe("connected");
  });

  it("sends a text once and shows its answer", async () => {
    const store = await opened();
    expect(store.send("  居住证　怎么办 ")).toBe(true);
    await settle();
    expect(sent).toEqual([{ text: "居住证 怎么办", id: "id-1" }]);
    expect(shown(store)).toEqual(["您好", "我:居住证 怎么办", "答:居住证 怎么办".replace(":", "：")]);
    expect(store.view.waiting).toBe(false);
  });

  it("sends a button's payload and shows its title", async () => {
    const store = await opened();
    store.send("/pick{SB09}", "社保卡补领");
    await settle();
    expect(sent[0]?.text).toBe("/pick{SB09}");
    expect(shown(store)).toContain("我:社保卡补领");
  });

  it("keeps a yes to being told of a correction, whoever heard it, until it is taken back", async () => {
    const store = await opened();
    expect(store.view.recall).toEqual({ agreed: null, contact: "" });
    await store.consentToRecall(true, " 13800000001 ");
    expect(store.view.recall).toEqual({ agreed: true, contact: "138****0001" });
    streams[0]?.frame({ type: "recall_consent", seq: 9, agreed: true, contact: "" });
    expect(store.view.recall.contact).toBe("138****0001"); // a yes in the talk names no number and forgets none
    await store.consentToRecall(false, "");
    expect(store.view.recall).toEqual({ agreed: false, contact: "" });
    streams[0]?.frame({ type: "recall_consent", seq: 11, agreed: true, contact: "" });
    expect(store.view.recall).toEqual({ agreed: true, contact: "" });
    await store.startAnew();
    expect(store.view.recall.agreed).toBeNull();
  });

  it("leaves a consent as it was where the gateway refuses the number", async () => {
    const store = await opened();
    api.recallConsent = async () => {
      throw new ProblemError(422, "请填 11 位手机号，或带区号的固定电话。");
    };
    await expect(store.consentToRecall(true, "12")).rejects.toThrow("11 位手机号");
    expect(store.view.recall.agreed).toBeNull();
  });

  it("refuses an empty text and one of 501 characters, and takes 500", async () => {
    const store = await opened();
    expect(store.send(" \n ")).toBe(false);
    expect(store.send("字".repeat(501))).toBe(false);
    expect(store.send("字".repeat(500))).toBe(true);
    await settle();
    expect(sent).toHaveLength(1);
  });

  it("tries again with the same id when the network fails, and shows one message", async () => {
    const answer = api.sendMessage;
    const tried: string[] = [];
    api.sendMessage = async (key, text, id) => {
      tried.push(id);
      if (tried.length < 3) throw new NetworkError();
      return answer(key, text, id);
    };
    const store = await opened();
    store.send("问");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(tried).toEqual(["id-1", "id-1", "id-1"]);
    expect(shown(store)).toEqual(["您好", "我:问", "答：问"]);
  });

  it("offers to send again, with the same id, when the network stays away", async () => {
    const answer = api.sendMessage;
    api.sendMessage = async () => {
      throw new NetworkError();
    };
    const store = await opened();
    store.send("问");
    await vi.advanceTimersByTimeAsync(60_000);
    const turn = store.view.timeline.turns.at(-1);
    expect(turn).toMatchObject({ status: "failed", canRetry: true });
    api.sendMessage = answer;
    store.retry("id-1");
    store.retry("id-1");
    await settle();
    expect(sent).toEqual([{ text: "问", id: "id-1" }]);
    expect(shown(store)).toEqual(["您好", "我:问", "答：问"]);
  });

  it("shows the gateway's sentence as it is, and does not send again by itself", async () => {
    let asked = 0;
    api.sendMessage = async () => {
      asked += 1;
      throw new ProblemError(422, "这条消息里没有我能读懂的文字。");
    };
    const store = await opened();
    store.send("😀");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toBe(1);
    expect(store.view.timeline.turns.at(-1)).toMatchObject({
      problem: "这条消息里没有我能读懂的文字。",
      canRetry: false,
    });
  });

  it("never leaves the citizen with an empty answer", async () => {
    api.sendMessage = async () => ({ turnId: "t1", state: "bot", replies: [] });
    const store = await opened();
    store.send("问");
    await settle();
    expect(store.view.timeline.turns.at(-1)?.problem).toContain("12345");
  });

  it("sends two quick messages one after the other, in order", async () => {
    const open: (() => void)[] = [];
    const answer = api.sendMessage;
    api.sendMessage = async (key, text, id) => {
      await new Promise<void>((resolve) => open.push(resolve));
      return answer(key, text, id);
    };
    const store = await opened();
    store.send("一");
    store.send("二");
    await settle();
    expect(open).toHaveLength(1);
    open[0]?.();
    await settle();
    open[1]?.();
    await settle();
    expect(sent.map((message) => message.text)).toEqual(["一", "二"]);
    expect(shown(store)).toEqual(["您好", "我:一", "答：一", "我:二", "答：二"]);
  });

  it("says after three seconds that it is still looking", async () => {
    let release = (): void => undefined;
    const answer = api.sendMessage;
    api.sendMessage = async (key, text, id) => {
      await new Promise<void>((resolve) => (release = resolve));
      return answer(key, text, id);
    };
    const store = await opened();
    store.send("问");
    await vi.advanceTimersByTimeAsync(2_999);
    expect([store.view.waiting, store.view.slow]).toEqual([true, false]);
    await vi.advanceTimersByTimeAsync(1);
    expect(store.view.slow).toBe(true);
    release();
    await settle();
    expect([store.view.waiting, store.view.slow]).toEqual([false, false]);
  });

  it("shows one answer when the event overtakes the post", async () => {
    let release = (): void => undefined;
    api.sendMessage = async () => {
      await new Promise<void>((resolve) => (release = resolve));
      return { turnId: "t1", state: "bot", replies: [reply("答")] };
    };
    const store = await opened();
    store.send("我的号码是 13800000000");
    await settle();
    streams[0]?.frame({ type: "reply", seq: 4, turnId: "t1", text: "我的号码是 138****0000", reply: reply("答") });
    release();
    await settle();
    expect(shown(store)).toEqual(["您好", "我:我的号码是 13800000000", "答"]);
  });

  it("shows the place in the queue until an agent comes", async () => {
    const store = await opened();
    streams[0]?.frame({ type: "state", seq: 2, state: "queued" });
    streams[0]?.frame({ type: "queue", seq: 3, position: 2 });
    expect(store.view).toMatchObject({ state: "queued", queuePosition: 2 });
    streams[0]?.frame({ type: "state", seq: 4, state: "agent" });
    streams[0]?.frame({ type: "typing", seq: 0 });
    expect(store.view).toMatchObject({ state: "agent", queuePosition: null, agentTyping: true });
    streams[0]?.frame({ type: "agent_message", seq: 5, text: "您好" });
    expect(store.view.agentTyping).toBe(false);
    expect(store.view.timeline.items.at(-1)).toMatchObject({ kind: "agent", text: "您好" });
  });

  it("goes on after a reload with its history, and sends what was on its way with the same id", async () => {
    memory.keepConversation({ id: "c9", token: "kept" });
    memory.keepOutbox([{ clientMessageId: "id-before", text: "问", shown: "问" }]);
    api.history = async () => ({
      state: "queued",
      turns: [{ turnId: "t-id-before", seq: 3, text: "问", replies: [reply("答：问")] }],
    });
    const store = await opened();
    await settle();
    expect(sent).toEqual([{ text: "问", id: "id-before" }]);
    expect(store.view.state).toBe("queued"); // not the state that the repeated answer remembers
    expect(shown(store)).toEqual(["我:问", "答：问"]);
    expect(memory.outbox()).toEqual([]);
  });

  it("starts a new one where the gateway does not know the kept one", async () => {
    memory.keepConversation({ id: "gone", token: "old" });
    api.history = async () => {
      throw new ProblemError(401, "凭证不对");
    };
    const store = await opened();
    expect(memory.conversation()?.id).toBe("c1");
    expect(shown(store)).toEqual(["您好"]);
  });

  it("keeps the kept one while the gateway is only away, and says so", async () => {
    memory.keepConversation({ id: "c9", token: "kept" });
    let tries = 0;
    api.history = async () => {
      tries += 1;
      if (tries < 3) throw new NetworkError();
      return { state: "bot", turns: [] };
    };
    const store = makeStore();
    const opening = store.open();
    await settle();
    expect(store.view.notice).toContain("12345");
    await vi.advanceTimersByTimeAsync(10_000);
    await opening;
    expect(memory.conversation()?.id).toBe("c9");
    expect(store.view.notice).toBeNull();
  });

  it("drops what belongs to the old conversation when a new one is started", async () => {
    const store = await opened();
    store.send("问");
    await settle();
    const old = streams[0];
    await store.startAnew();
    old?.frame({ type: "agent_message", seq: 9, text: "给旧对话的话" });
    expect(old?.stopped).toBe(true);
    expect(shown(store)).toEqual(["您好"]);
    expect(store.view.timeline.items).toHaveLength(1);
  });
});
