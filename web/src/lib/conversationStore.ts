/** One conversation as the page holds it: what is shown, who has the floor, what is on its way. */

import { reactive } from "vue";
import { NetworkError, ProblemError } from "./api";
import { backoffMs } from "./backoff";
import type { ConnectionStatus } from "./eventStream";
import type { OutgoingMessage } from "./memory";
import type { Stream, StoreParts } from "./storeParts";
import { Timeline } from "./timeline";
import type { ConversationKey, ConversationState, EventFrame, RecallConsent } from "./types";
import { countCharacters, MAX_CHARACTERS, tidy } from "./words";

/** After this long the citizen is told that the line is still looking. */
export const SLOW_AFTER_MS = 3_000;
/** Times a message is sent again by itself before the citizen is asked. */
export const RESEND_TRIES = 3;
const TYPING_SHOWN_MS = 4_000;
const NO_ANSWER = "没有收到回答，请再问一次，或拨打 12345 找人工。";

type ReplyFrame = Extract<EventFrame, { type: "reply" }>;

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export function createConversationStore({ api, memory, openStream, newId }: StoreParts) {
  const view = reactive({
    timeline: new Timeline(),
    state: "bot" as ConversationState,
    connection: "connecting" as ConnectionStatus,
    queuePosition: null as number | null,
    /** An answer is awaited. */
    waiting: false,
    /** It has been awaited for more than ``SLOW_AFTER_MS``. */
    slow: false,
    agentTyping: false,
    ready: false,
    /** A sentence about the whole page, with a way on. */
    notice: null as string | null,
    rated: false,
    recall: { agreed: null, contact: "" } as RecallConsent,
  });

  let key: ConversationKey | null = null;
  let stream: Stream | null = null;
  let outbox: OutgoingMessage[] = [];
  let delivering = false;
  /** Rises with every new conversation: what belongs to an older one is dropped. */
  let era = 0;
  let early: ReplyFrame[] = [];
  /** Messages that did not get through, kept for 「重发」 with the same id. */
  const failed = new Map<string, OutgoingMessage>();
  let slowTimer: ReturnType<typeof setTimeout> | undefined;
  let typingTimer: ReturnType<typeof setTimeout> | undefined;

  function setWaiting(on: boolean): void {
    clearTimeout(slowTimer);
    view.waiting = on;
    view.slow = false;
    if (on) slowTimer = setTimeout(() => (view.slow = true), SLOW_AFTER_MS);
  }

  function setState(state: ConversationState): void {
    view.state = state;
    if (state !== "queued") view.queuePosition = null;
    if (state !== "agent") view.agentTyping = false;
  }

  function onFrame(frame: EventFrame): void {
    switch (frame.type) {
      case "reply":
        // While our own message is on its way its turn id is not known yet: the answer names it.
        if (delivering && !view.timeline.knows(frame.turnId)) early.push(frame);
        else view.timeline.pushReply(frame.seq, frame.turnId, frame.text, frame.reply);
        break;
      case "agent_message":
        view.agentTyping = false;
        view.timeline.pushAgentLine(frame.seq, frame.text);
        break;
      case "state":
        setState(frame.state);
        break;
      case "queue":
        view.queuePosition = frame.position > 0 ? frame.position : null;
        break;
      case "recall_consent": // said in the talk, on this page, or on another that shows it
        keepRecall(frame);
        break;
      case "typing":
        view.agentTyping = true;
        clearTimeout(typingTimer);
        typingTimer = setTimeout(() => (view.agentTyping = false), TYPING_SHOWN_MS);
    }
  }

  /** A later yes without a number keeps the number left before it; a no forgets it. */
  function keepRecall({ agreed, contact }: RecallConsent): void {
    view.recall = { agreed, contact: agreed ? contact || view.recall.contact : "" };
  }

  function showEarly(): void {
    const frames = early;
    early = [];
    for (const frame of frames) view.timeline.pushReply(frame.seq, frame.turnId, frame.text, frame.reply);
  }

  function listen(): void {
    if (!key) return;
    const mine = era;
    stream?.stop();
    stream = openStream(key, {
      onFrame: (frame) => mine === era && onFrame(frame),
      onStatus: (status) => {
        if (mine === era) view.connection = status;
      },
      onRefused: () => {
        if (mine === era) view.notice = "这次对话的凭证已失效，请点「新对话」重新开始。";
      },
    });
    stream.start();
  }

  function reset(): void {
    era += 1;
    stream?.stop();
    stream = null;
    key = null;
    early = [];
    outbox = [];
    failed.clear();
    delivering = false;
    view.timeline.clear();
    setState("bot");
    setWaiting(false);
    const recall = { agreed: null, contact: "" };
    Object.assign(view, { ready: false, notice: null, rated: false, recall, connection: "connecting" });
  }

  /** Runs ``ask`` until the gateway answers; the citizen is told after the first miss. */
  async function untilReached<T>(ask: () => Promise<T>): Promise<T | null> {
    const mine = era;
    for (let attempt = 0; ; attempt += 1) {
      try {
        const answer = await ask();
        if (mine !== era) return null;
        view.notice = null;
        return answer;
      } catch (error) {
        if (mine !== era) return null;
        const passing = error instanceof NetworkError || (error instanceof ProblemError && error.status >= 500);
        if (!passing) throw error;
        view.connection = attempt < RESEND_TRIES ? "reconnecting" : "offline";
        view.notice =
          error instanceof ProblemError ? error.message : "连不上服务，正在重试。急事请拨打 12345。";
        await wait(backoffMs(attempt));
        if (mine !== era) return null;
      }
    }
  }

  async function begin(): Promise<void> {
    try {
      const started = await untilReached(() => api.createConversation());
      if (!started) return;
      key = { id: started.id, token: started.token };
      memory.keepConversation(key);
      view.timeline.greet(started.replies);
      view.ready = true;
      listen();
      void deliver();
    } catch (error) {
      view.connection = "offline";
      view.notice = error instanceof Error ? error.message : String(error);
    }
  }

  /** Goes on with the kept conversation, or starts one. */
  async function open(): Promise<void> {
    reset();
    const kept = memory.conversation();
    if (!kept) return begin();
    try {
      const history = await untilReached(() => api.history(kept));
      if (!history) return;
      key = kept;
      view.timeline.load(history.turns);
      setState(history.state);
      view.ready = true;
      outbox = memory.outbox();
      for (const message of outbox) view.timeline.begin(message.clientMessageId, message.shown);
      listen(); // from the beginning: an agent's lines are events, not turns
      void deliver();
    } catch {
      // The gateway does not know this conversation any more.
      memory.keepConversation(null);
      memory.keepOutbox([]);
      return begin();
    }
  }

  async function startAnew(): Promise<void> {
    reset();
    memory.keepConversation(null);
    memory.keepOutbox([]);
    return begin();
  }

  /** Takes ``words`` on. ``shown`` is the button's title where a button was tapped. False: not taken. */
  function send(words: string, shown: string = words): boolean {
    const text = tidy(words);
    if (!text || countCharacters(words) > MAX_CHARACTERS || view.state === "closed") return false;
    const message = { clientMessageId: newId(), text, shown: tidy(shown) };
    outbox.push(message);
    memory.keepOutbox(outbox);
    view.timeline.begin(message.clientMessageId, message.shown);
    void deliver();
    return true;
  }

  function retry(clientMessageId: string): void {
    const turn = view.timeline.turns.find((candidate) => candidate.key === clientMessageId);
    if (!turn || turn.status !== "failed" || turn.text === null) return;
    const kept = failed.get(clientMessageId);
    if (!kept) return;
    failed.delete(clientMessageId);
    turn.status = "sending";
    turn.problem = null;
    outbox.push(kept);
    memory.keepOutbox(outbox);
    void deliver();
  }

  /** Sends what is waiting, one after the other, in the order it was written. */
  async function deliver(): Promise<void> {
    if (delivering || !key || !outbox.length) return;
    const mine = era;
    delivering = true;
    setWaiting(true);
    while (outbox[0] && mine === era) {
      const message = outbox[0];
      if (view.slow) setWaiting(true);
      await deliverOne(key, message, mine);
      if (mine !== era) return;
      outbox.shift();
      memory.keepOutbox(outbox);
    }
    if (mine !== era) return;
    delivering = false;
    setWaiting(false);
    showEarly();
  }

  /** A repeated message brings its first answer back, and with it the state of that time: ask for today's. */
  async function refreshState(of: ConversationKey, mine: number): Promise<void> {
    try {
      const { state } = await api.history(of);
      if (mine === era) setState(state);
    } catch (error) {
      console.warn("没有问到对话的状态，等事件来更新。", error);
    }
  }

  async function deliverOne(to: ConversationKey, message: OutgoingMessage, mine: number): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const answer = await api.sendMessage(to, message.text, message.clientMessageId);
        if (mine !== era) return;
        const repeated = attempt > 0 || view.timeline.knows(answer.turnId);
        const turn = view.timeline.settle(message.clientMessageId, answer.turnId, answer.replies);
        if (repeated) await refreshState(to, mine);
        else setState(answer.state);
        if (turn && answer.state === "bot" && !turn.replies.length) turn.problem = NO_ANSWER;
        return;
      } catch (error) {
        if (mine !== era) return;
        if (error instanceof NetworkError && attempt < RESEND_TRIES) {
          await wait(backoffMs(attempt));
          if (mine !== era) return;
          continue;
        }
        const refused = error instanceof ProblemError ? error : null;
        const canRetry = refused === null || refused.status >= 500 || refused.status === 429;
        const problem = error instanceof Error ? error.message : String(error);
        if (canRetry) failed.set(message.clientMessageId, { ...message });
        view.timeline.fail(message.clientMessageId, problem, canRetry);
        if (refused?.status === 401 || refused?.status === 404) view.notice = problem;
        return;
      }
    }
  }

  async function rate(score: number, comment: string): Promise<void> {
    if (!key) return;
    await api.rate(key, score, tidy(comment));
    view.rated = true;
  }

  async function consentToRecall(agreed: boolean, phone: string): Promise<void> {
    if (!key) return;
    const mine = era;
    const kept = await api.recallConsent(key, agreed, tidy(phone));
    if (mine === era) keepRecall(kept);
  }

  function stop(): void {
    era += 1;
    stream?.stop();
    setWaiting(false);
  }

  return { view, open, startAnew, send, retry, rate, consentToRecall, stop };
}

export type ConversationStore = ReturnType<typeof createConversationStore>;
