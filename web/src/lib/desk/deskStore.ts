/** The agent's desk: who waits, what is offered, whom one serves, the conversation being read. The gateway
 * decides everything; an event only says that something is to be looked at again. */

import { reactive, readonly } from "vue";
import { type StaffApi, StaffProblem } from "../staff/staffApi";
import type { DeskStream, DeskStreamHandlers } from "./deskStream";
import type { Notice } from "./notice";
import { answerId, lineOf, secondsLeft, withLine } from "./talk";
import type {
  Agent,
  AgentState,
  Assist,
  Callback,
  DeskFrame,
  Entry,
  Invitation,
  NumberRead,
  Offer,
  Picture,
  Queue,
  Template,
  Waiting,
  Warning,
} from "./types";

const DESK = "/api/v1/desk";
const of = (id: string): string => `${DESK}/conversations/${encodeURIComponent(id)}`;

export interface DeskView {
  connected: boolean;
  /** Left the desk: the socket is closed until the agent comes back. */
  away: boolean;
  refused: boolean;
  me: string;
  /** May see everybody, assign, listen, take over. */
  supervises: boolean;
  state: AgentState;
  waiting: Waiting[];
  serving: Entry[];
  agents: Agent[];
  most: number;
  fault: string;
  areas: Record<string, string>;
  mine: Entry[];
  offers: Offer[];
  callbacks: Callback[];
  openCallbacks: number;
  invitations: Invitation[];
  /** Something that happened to one's conversations by another's hand. */
  notes: Array<{ key: number; text: string }>;
  alerts: Array<{ seq: number; conversationId: string; text: string }>;
  /** Conversations in which the citizen has spoken since they were last looked at. */
  unread: string[];
  picture: Picture | null;
  assist: Assist | null;
  /** What is shown for the latest sentence: still being looked for, found (or not), or not known for a fault. */
  assistState: "asking" | "told" | "failed";
  assistTrouble: string;
  templates: Template[];
  warnings: Warning[];
  drafts: Record<string, string>;
  sending: boolean;
  busy: boolean;
  trouble: string;
  clockAheadMs: number;
}

export interface DeskParts {
  api: StaffApi;
  notice: Notice;
  openStream(after: number, handlers: DeskStreamHandlers): Pick<DeskStream, "start" | "stop" | "watch" | "unwatch" | "typing">;
  now?: () => number;
}

export type DeskStore = ReturnType<typeof createDesk>;

const MOVES: Record<"ready" | "paused" | "offline", readonly AgentState[]> = {
  ready: ["paused", "after_call"],
  paused: ["ready", "after_call"],
  offline: ["ready", "paused", "after_call"],
};
const TYPING_EVERY_MS = 2_000;
const ASSIST_AGAIN_MS: readonly number[] = [1_000, 3_000, 8_000];

export function createDesk(parts: DeskParts) {
  const now = parts.now ?? Date.now;
  const view = reactive<DeskView>({
    connected: false,
    away: false,
    refused: false,
    me: "",
    supervises: false,
    state: "offline",
    waiting: [],
    serving: [],
    agents: [],
    most: 0,
    fault: "",
    areas: {},
    mine: [],
    offers: [],
    callbacks: [],
    openCallbacks: 0,
    invitations: [],
    notes: [],
    alerts: [],
    unread: [],
    picture: null,
    assist: null,
    assistState: "asking",
    assistTrouble: "",
    templates: [],
    warnings: [],
    drafts: {},
    sending: false,
    busy: false,
    trouble: "",
    clockAheadMs: 0,
  });
  let stream: ReturnType<DeskParts["openStream"]> | null = null;
  let refreshing: Promise<void> | null = null;
  let stale = false;
  let rung = "";
  let typedAt = 0;
  let stopped = false;
  const onItsWay = new Map<string, { words: string; id: string }>();

  const call = <T>(verb: "GET" | "POST", path: string, body?: unknown): Promise<T> =>
    parts.api.call(verb, path, body) as Promise<T>;

  let before: Promise<unknown> = Promise.resolve();
  let underWay = 0;

  /** Does it, after what was asked for before (no press is lost), and tells what went wrong; whether it went well. */
  function attempt(step: () => Promise<void>): Promise<boolean> {
    const mine = before.then(() => tryIt(step));
    before = mine;
    underWay += 1;
    view.busy = true;
    return mine;
  }

  async function tryIt(step: () => Promise<void>): Promise<boolean> {
    view.trouble = "";
    try {
      await step();
      return true;
    } catch (error) {
      view.trouble = (error as Error).message;
      if (error instanceof StaffProblem && error.status === 409) void refresh();
      return false;
    } finally {
      underWay -= 1;
      view.busy = underWay > 0;
    }
  }

  // ---------------------------------------------------------------- the queue

  async function lookOnce(): Promise<number> {
    const queue = await call<Queue & Record<string, unknown>>("GET", `${DESK}/queue`);
    const first = queue.waiting[0];
    if (first) view.clockAheadMs = Date.parse(first.queued_at) + first.waited_s * 1000 - now();
    tellTaken(queue);
    view.waiting = queue.waiting;
    view.serving = queue.serving;
    view.agents = queue.agents;
    view.most = queue.most;
    view.fault = queue.fault;
    view.areas = queue.areas ?? {};
    view.mine = queue.serving.filter((entry) => entry.agent === view.me);
    view.offers = queue.offers.filter((offer) => offer.agent === view.me && offer.state === "open");
    view.openCallbacks = queue.callbacks;
    view.state = queue.agents.find((agent) => agent.username === view.me)?.state ?? "offline";
    follow();
    ring();
    return queue.seq;
  }

  let noted = 0;

  /** Somebody else has taken over what was one's own: never without a word. */
  function tellTaken(queue: Queue): void {
    for (const had of view.mine) {
      const now = queue.serving.find((each) => each.conversation_id === had.conversation_id);
      if (!now?.agent || now.agent === view.me) continue;
      note(`您接待的一个对话已由 ${nameOf(now.agent, queue.agents)} 接管。`);
    }
  }

  function note(words: string): void {
    noted += 1;
    view.notes = [...view.notes.slice(-3), { key: noted, text: words }];
  }

  const nameOf = (username: string, among: readonly Agent[] = view.agents): string =>
    among.find((each) => each.username === username)?.display_name || username;

  /** Looks again; what happens meanwhile makes it look once more. */
  function refresh(): Promise<void> {
    stale = true;
    refreshing ??= (async () => {
      try {
        while (stale) {
          stale = false;
          await lookOnce();
        }
      } catch (error) {
        view.trouble = (error as Error).message;
      } finally {
        refreshing = null;
      }
    })();
    return refreshing;
  }

  const followed = new Set<string>();
  const read = new Map<string, number>(); // of each conversation looked at: the last event known here

  /** Every conversation of one's own is followed, not only the one on the screen. */
  function follow(): void {
    const wanted = new Set(view.mine.map((entry) => entry.conversation_id));
    if (view.picture) wanted.add(view.picture.conversation_id);
    for (const id of followed) {
      if (wanted.has(id)) continue;
      stream?.unwatch(id);
      followed.delete(id);
    }
    for (const id of wanted) {
      if (followed.has(id) || !stream) continue;
      followed.add(id);
      stream.watch(id, read.get(id) ?? 0);
    }
  }

  function ring(): void {
    const offer = view.offers[0];
    if ((offer?.offer_id ?? "") === rung) return;
    rung = offer?.offer_id ?? "";
    if (offer) parts.notice.ring("【来话】请接起");
    else parts.notice.quiet();
  }

  function onFrame(frame: DeskFrame): void {
    switch (frame.type) {
      case "conversation":
        return onEvent(frame.conversation_id, frame.event);
      case "alert":
        view.alerts = [
          ...view.alerts.slice(-4),
          { seq: frame.seq, conversationId: frame.conversation_id ?? "", text: String(frame.data.text ?? "") },
        ];
        return;
      case "invite":
        view.invitations = [
          ...view.invitations.filter((each) => each.conversationId !== frame.conversation_id),
          {
            seq: frame.seq,
            conversationId: frame.conversation_id ?? "",
            callId: String(frame.data.call_id ?? ""),
            by: String(frame.data.by ?? ""),
          },
        ];
        parts.notice.ring("【同事请您加入通话】");
        return;
      case "error":
        view.trouble = frame.detail;
        return;
      case "callback":
        void refresh();
        if (view.callbacks.length) void loadCallbacks();
        return;
      case "pong":
        return;
      default:
        void refresh();
    }
  }

  function onEvent(id: string, event: Record<string, unknown>): void {
    const line = lineOf(event);
    const shown = view.picture?.conversation_id === id ? view.picture : null;
    const looked = read.has(id); // the earlier lines of one never looked at are not news
    if (looked) read.set(id, Math.max(read.get(id) ?? 0, Number(event.seq)));
    if (!line) return;
    if (!shown) {
      if (line.who === "citizen" && looked && !view.unread.includes(id)) view.unread.push(id);
      return;
    }
    shown.transcript = withLine(shown.transcript, line);
    shown.seq = Math.max(shown.seq, line.seq);
    if (line.type === "state" && typeof line.data.state === "string") shown.state = line.data.state;
    if (line.type === "call_ended") shown.call_id = null;
    if (line.who === "citizen") void loadAssist();
  }

  async function arrive(): Promise<void> {
    if (stopped) return;
    try {
      const me = await call<{ username: string; roles: string[] }>("GET", `${DESK}/me`);
      view.me = me.username;
      view.supervises = me.roles?.includes("supervisor") ?? false;
      const seq = await lookOnce();
      if (stopped) return;
      view.away = view.refused = false;
      view.trouble = "";
      stream?.stop();
      followed.clear();
      let greeted = false;
      stream = parts.openStream(seq, {
        onFrame: (frame) => {
          greeted ||= frame.type === "hello";
          if (frame.type === "hello" && frame.state) view.state = frame.state; // with the light that says one is there
          onFrame(frame);
        },
        onStatus: (connected) => (view.connected = connected),
        onRefused: () => {
          // 4401: asking over HTTP brings the sign-in up; once it is renewed the desk comes back. Where it was
          // refused before it greeted, trying again would go round in circles.
          if (greeted) return void arrive();
          view.refused = true;
          view.trouble = "系统没有让工作台连上。请再试一次；还是不行，请联系系统管理员。";
        },
      });
      stream.start();
      follow();
      view.templates = (await call<{ templates: Template[] }>("GET", `${DESK}/assist/templates`)).templates;
    } catch (error) {
      view.refused = true;
      view.trouble = (error as Error).message;
    }
  }

  function leave(): void {
    stopped = true;
    clearTimeout(assistTimer);
    stream?.stop();
    parts.notice.quiet();
  }

  // ---------------------------------------------------------------- one's own state, offers

  const may = (state: "ready" | "paused" | "offline"): boolean => view.connected && MOVES[state].includes(view.state);

  const setState = (state: "ready" | "paused" | "offline"): Promise<boolean> =>
    attempt(async () => {
      await call("POST", `${DESK}/state`, { state });
      if (state !== "offline") return void (await lookOnce());
      stream?.stop();
      view.away = true;
      view.state = "offline";
    });

  async function accept(offer: Offer | undefined = view.offers[0]): Promise<boolean> {
    if (!offer) return view.picture && mayTake() ? take() : false;
    const done = await attempt(async () => {
      await call("POST", `${DESK}/offers/${offer.offer_id}/accept`);
      await lookOnce();
    });
    return done && (await show(offer.conversation_id));
  }

  const decline = (offer: Offer | undefined = view.offers[0]): Promise<boolean> =>
    attempt(async () => {
      if (!offer) return;
      await call("POST", `${DESK}/offers/${offer.offer_id}/decline`);
      await lookOnce();
    });

  // ---------------------------------------------------------------- one conversation

  const serves = (id = view.picture?.conversation_id): boolean => view.mine.some((each) => each.conversation_id === id);
  const mayTake = (): boolean => view.waiting.some((each) => each.conversation_id === view.picture?.conversation_id);

  let showing = 0;

  /** The last one asked for is the one that stays. */
  async function show(id: string): Promise<boolean> {
    const mine = (showing += 1);
    try {
      const picture = await call<Picture & Record<string, unknown>>("GET", of(id));
      if (mine !== showing) return false;
      const before = view.picture?.conversation_id;
      if (before && before !== id) followed.delete(before), stream?.unwatch(before);
      view.picture = picture;
      view.assist = null;
      view.warnings = [];
      view.unread = view.unread.filter((each) => each !== id);
      read.set(id, picture.seq);
      followed.delete(id); // from the picture on
      follow();
      void loadAssist();
      return true;
    } catch (error) {
      if (mine === showing) view.trouble = (error as Error).message;
      return false;
    }
  }

  async function take(): Promise<boolean> {
    const id = view.picture?.conversation_id;
    if (!id) return false;
    const done = await attempt(async () => {
      await call("POST", `${of(id)}/take`);
      await lookOnce();
    });
    return done && (await show(id));
  }

  // ---------------------------------------------------------------- supervisors, and three on a line

  const entryOf = (id: string | undefined): Entry | undefined =>
    view.serving.find((each) => each.conversation_id === id) ?? view.waiting.find((each) => each.conversation_id === id);

  const assign = (id: string, agent: string): Promise<boolean> =>
    attempt(async () => {
      await call("POST", `${of(id)}/assign`, { agent });
      await lookOnce();
    });

  const invite = (id: string, agent: string): Promise<boolean> =>
    attempt(async () => void (await call("POST", `${of(id)}/invite`, { agent })));

  function endInvitation(seq: number): void {
    view.invitations = view.invitations.filter((each) => each.seq !== seq);
    if (!view.invitations.length && !view.offers.length) parts.notice.quiet();
  }

  const draft = (): string => view.drafts[view.picture?.conversation_id ?? ""] ?? "";

  function setDraft(words: string): void {
    const id = view.picture?.conversation_id;
    if (!id) return;
    view.drafts[id] = words;
    view.warnings = [];
    if (words && serves(id) && now() - typedAt >= TYPING_EVERY_MS) {
      typedAt = now();
      stream?.typing(id);
    }
  }

  const fill = (words: string): void => setDraft(draft().trim() ? `${draft().trimEnd()}\n${words}` : words);

  /**
   * Looks the words over and sends them; ``sure`` where the agent has read the warnings. Returns what came of it:
   * ``repeated``: the same answer was there already, from another tab.
   */
  async function send(words: string, sure = false, readOut = false): Promise<"sent" | "repeated" | "warned" | "failed"> {
    const picture = view.picture;
    const said = words.trim();
    if (!picture || !said || view.sending) return "failed";
    const id = picture.conversation_id;
    view.sending = true;
    view.trouble = "";
    try {
      const { warnings } = await call<{ warnings: Warning[] }>("POST", `${DESK}/assist/check`, { text: said });
      if (warnings.some((each) => each.level === "stop") || (warnings.length && !sure)) {
        view.warnings = warnings;
        return "warned";
      }
      // Where it is not known whether the last try arrived, the same words go under the same id.
      const pending = onItsWay.get(id);
      const messageId = pending?.words === said ? pending.id : answerId(picture.transcript, said);
      onItsWay.set(id, { words: said, id: messageId });
      const told = await call<{ repeated: boolean }>("POST", `${of(id)}/messages`, {
        text: said,
        client_message_id: messageId,
        read_out: readOut,
      });
      onItsWay.delete(id);
      if ((view.drafts[id] ?? "").trim() === said) view.drafts[id] = "";
      view.warnings = [];
      return told.repeated ? "repeated" : "sent";
    } catch (error) {
      view.trouble = (error as Error).message;
      if (error instanceof StaffProblem) onItsWay.delete(id);
      return "failed";
    } finally {
      view.sending = false;
    }
  }

  /** Gives the conversation up: to the bot, to the queue, or for good. ``taught``: the engine learned the slots. */
  async function release(
    step: "return" | "requeue" | "close",
    note: string,
    slots: Record<string, string> = {},
  ): Promise<{ done: boolean; taught: boolean }> {
    const id = view.picture?.conversation_id;
    let known = true;
    const done = await attempt(async () => {
      if (!id) return;
      const body = step === "return" ? { note, slots } : { note };
      const told = await call<{ slots_set?: boolean }>("POST", `${of(id)}/${step}`, body);
      known = told.slots_set !== false;
      delete view.drafts[id];
      view.picture = null;
      view.assist = null;
      await lookOnce();
    });
    return { done, taught: known };
  }

  // ---------------------------------------------------------------- assist

  let assistAsked = 0;
  let assistTimer: ReturnType<typeof setTimeout> | undefined;

  /** Only the answer to the last asking counts: one for an older sentence may well come after it. */
  async function loadAssist(failures = 0): Promise<void> {
    const id = view.picture?.conversation_id;
    if (!id) return;
    clearTimeout(assistTimer);
    const asking = (assistAsked += 1);
    const current = (): boolean => asking === assistAsked && view.picture?.conversation_id === id && !stopped;
    if (!failures) {
      view.assistState = "asking";
      view.assistTrouble = "";
    }
    try {
      const told = await call<Assist & Record<string, unknown>>("GET", `${of(id)}/assist`);
      if (!current()) return;
      view.assist = told;
      view.assistState = "told";
      view.assistTrouble = "";
    } catch (error) {
      if (!current()) return;
      view.assist = view.assist && { ...view.assist, passages: [] }; // those were for an older sentence
      view.assistState = "failed";
      view.assistTrouble = (error as Error).message;
      const wait = ASSIST_AGAIN_MS[failures];
      if (wait !== undefined) assistTimer = setTimeout(() => void loadAssist(failures + 1), wait);
    }
  }

  const translate = (words: string, into: "mandarin" | "cantonese"): Promise<string> =>
    call<{ text: string }>("POST", `${DESK}/assist/translate`, { text: words, into }).then((told) => told.text);

  const readBack = (words: string): Promise<NumberRead[]> =>
    call<{ numbers: NumberRead[] }>("POST", `${DESK}/assist/read-back`, { text: words }).then((told) => told.numbers);

  // ---------------------------------------------------------------- call-backs

  async function loadCallbacks(): Promise<void> {
    try {
      view.callbacks = (await call<{ callbacks: Callback[] }>("GET", `${DESK}/callbacks`)).callbacks;
    } catch (error) {
      view.trouble = (error as Error).message;
    }
  }

  const moveCallback = (id: string, step: string, note = ""): Promise<boolean> =>
    attempt(async () => {
      await call("POST", `${DESK}/callbacks/${id}`, { step, note });
      await loadCallbacks();
    });

  const reveal = (id: string): Promise<string> =>
    call<{ contact: string }>("POST", `${DESK}/callbacks/${id}/reveal`).then((told) => told.contact);

  return {
    view: readonly(view) as DeskView,
    arrive,
    leave,
    may,
    setState,
    entryOf,
    nameOf,
    assign,
    invite,
    endInvitation,
    dismissNote: (key: number): void => void (view.notes = view.notes.filter((each) => each.key !== key)),
    accept,
    decline,
    show,
    take,
    serves,
    mayTake,
    draft,
    setDraft,
    fill,
    send,
    release,
    loadAssist,
    translate,
    readBack,
    loadCallbacks,
    moveCallback,
    reveal,
    refresh,
    secondsLeft: (offer: Offer): number => secondsLeft(offer.expires_at, view.clockAheadMs, now()),
    dismissAlert: (seq: number): void => void (view.alerts = view.alerts.filter((each) => each.seq !== seq)),
    dismissTrouble: (): void => void (view.trouble = ""),
  };
}
