/** The gateway's chat routes. Every failure is one of two named errors with a sentence for the citizen. */

import { isObject, objects, parseReplies, parseState, text } from "./parse";
import type { ConversationKey, History, RecallConsent, StartedConversation, TurnAnswer } from "./types";

/** The gateway answered, and said no. ``message`` is its ``detail``, shown as it is. */
export class ProblemError extends Error {
  constructor(
    readonly status: number,
    detail: string,
  ) {
    super(detail);
  }
}

/** No answer came at all: the same message may be sent again with the same id. */
export class NetworkError extends Error {
  constructor() {
    super("网络不通，还没有送到。请检查网络后点「重发」，或拨打 12345。");
  }
}

const ANSWER_TIMEOUT_MS = 20_000;
const UNREADABLE = "系统的回答读不出来，请稍后再试，或拨打 12345 找人工。";

export interface HotlineApi {
  createConversation(): Promise<StartedConversation>;
  sendMessage(key: ConversationKey, words: string, clientMessageId: string): Promise<TurnAnswer>;
  history(key: ConversationKey): Promise<History>;
  rate(key: ConversationKey, score: number, comment: string): Promise<void>;
  /** ``phone`` empty: the number that is known, or none. */
  recallConsent(key: ConversationKey, agreed: boolean, phone: string): Promise<RecallConsent>;
}

async function detailOf(response: Response): Promise<string> {
  const fallback = `系统暂时出了点问题（${response.status}），请稍后再试，或拨打 12345 找人工。`;
  try {
    const body: unknown = await response.json();
    return (isObject(body) && text(body.detail)) || fallback;
  } catch {
    return fallback; // a proxy's HTML page has no sentence for citizens
  }
}

async function call(path: string, init: RequestInit, token?: string): Promise<Record<string, unknown>> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (init.body) headers["Content-Type"] = "application/json";
  if (token) headers.Authorization = `Bearer ${token}`;
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), ANSWER_TIMEOUT_MS);
  try {
    let response: Response;
    let body: string;
    try {
      response = await fetch(path, { ...init, headers, signal: deadline.signal });
      if (!response.ok) throw new ProblemError(response.status, await detailOf(response));
      body = await response.text();
    } catch (error) {
      throw error instanceof ProblemError ? error : new NetworkError();
    }
    if (!body) return {};
    try {
      const parsed: unknown = JSON.parse(body);
      return isObject(parsed) ? parsed : {};
    } catch {
      throw new ProblemError(response.status, UNREADABLE);
    }
  } finally {
    clearTimeout(timer);
  }
}

function conversationPath(key: ConversationKey, rest: string): string {
  return `/api/v1/conversations/${encodeURIComponent(key.id)}/${rest}`;
}

export const httpApi: HotlineApi = {
  async createConversation() {
    const body = JSON.stringify({ channel: "web" });
    const raw = await call("/api/v1/conversations", { method: "POST", body });
    const id = text(raw.conversation_id);
    const token = text(raw.token);
    if (!id || !token) throw new ProblemError(200, UNREADABLE);
    return { id, token, replies: parseReplies(raw.replies) };
  },

  async sendMessage(key, words, clientMessageId) {
    const body = JSON.stringify({ text: words, client_message_id: clientMessageId });
    const raw = await call(conversationPath(key, "messages"), { method: "POST", body }, key.token);
    const turnId = text(raw.turn_id);
    if (!turnId) throw new ProblemError(200, UNREADABLE);
    return { turnId, state: parseState(raw.state), replies: parseReplies(raw.replies) };
  },

  async history(key) {
    const raw = await call(conversationPath(key, "messages"), { method: "GET" }, key.token);
    return {
      state: parseState(raw.state),
      turns: objects(raw.messages).map((item) => ({
        turnId: text(item.turn_id),
        seq: typeof item.seq === "number" ? item.seq : 0,
        text: text(item.text) || null,
        replies: parseReplies(item.replies),
      })),
    };
  },

  async rate(key, score, comment) {
    const body = JSON.stringify(comment ? { score, comment } : { score });
    await call(conversationPath(key, "rating"), { method: "POST", body }, key.token);
  },

  async recallConsent(key, agreed, phone) {
    const body = JSON.stringify(phone ? { agreed, phone } : { agreed });
    const raw = await call(conversationPath(key, "recall-consent"), { method: "POST", body }, key.token);
    return { agreed: raw.agreed === true, contact: text(raw.contact) };
  },
};
