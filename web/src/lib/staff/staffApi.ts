/**
 * Calls to the gateway by a signed-in person. A change carries the CSRF token; where the session is over,
 * the page asks the person to sign in again and the call is made once more, so that nothing typed is lost.
 */

import { isObject, text } from "../parse";

/** The gateway said no. ``message`` is its ``detail``; ``code`` is stable (docs/interfaces.md). */
export class StaffProblem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly retryAfterS: number | null = null,
  ) {
    super(detail);
  }
}

/** No answer came: whether the gateway did what was asked is not known. */
export class StaffNetworkError extends Error {
  constructor() {
    super("网络不通，系统没有应答。请检查网络后再试。");
  }
}

export type Verb = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
type Json = Record<string, unknown>;

export interface StaffApiParts {
  fetch: (path: string, init: RequestInit) => Promise<Response>;
  csrfToken: () => string;
  /** Resolves once the same person is signed in again; rejects where they will not be. */
  signInAgain: () => Promise<void>;
  timeoutMs?: number;
}

export interface StaffApi {
  /** The JSON of the answer, ``{}`` where it has none. A ``body`` that is a Blob goes as it is, anything else as
   * JSON; ``more`` are headers. Throws StaffProblem or StaffNetworkError. */
  call(verb: Verb, path: string, body?: unknown, more?: Record<string, string>): Promise<Json>;
  /** As ``call``, but a session that is over is simply a problem. */
  callOnce(verb: Verb, path: string, body?: unknown, more?: Record<string, string>): Promise<Json>;
}

const SESSION_OVER = "sign_in_required";

export function createStaffApi(parts: StaffApiParts): StaffApi {
  async function callOnce(verb: Verb, path: string, body?: unknown, more?: Record<string, string>): Promise<Json> {
    const headers: Record<string, string> = { Accept: "application/json", ...more };
    const isFile = body instanceof Blob;
    if (body !== undefined) headers["Content-Type"] = isFile ? "application/octet-stream" : "application/json";
    if (verb !== "GET") headers["X-CSRF-Token"] = parts.csrfToken();
    const init: RequestInit = { method: verb, headers, credentials: "same-origin", cache: "no-store" };
    if (body !== undefined) init.body = isFile ? body : JSON.stringify(body);
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), parts.timeoutMs ?? 20_000);
    let response: Response;
    let words: string;
    try {
      response = await parts.fetch(path, { ...init, signal: deadline.signal });
      words = await response.text();
    } catch {
      throw new StaffNetworkError();
    } finally {
      clearTimeout(timer);
    }
    const told = parsed(words);
    if (!response.ok) throw problemOf(response, told);
    if (words && !told) throw new StaffProblem(response.status, "unreadable", "系统的回答读不出来，请再试一次。");
    return told ?? {};
  }

  async function call(verb: Verb, path: string, body?: unknown, more?: Record<string, string>): Promise<Json> {
    try {
      return await callOnce(verb, path, body, more);
    } catch (error) {
      if (!(error instanceof StaffProblem) || error.code !== SESSION_OVER) throw error;
      await parts.signInAgain();
      return callOnce(verb, path, body, more);
    }
  }

  return { call, callOnce };
}

function parsed(words: string): Json | null {
  try {
    const value: unknown = JSON.parse(words);
    return isObject(value) ? value : null;
  } catch {
    return null; // a proxy's page, or nothing at all: the caller knows which
  }
}

function problemOf(response: Response, told: Json | null): StaffProblem {
  const detail = text(told?.detail) || `系统暂时出了点问题（${response.status}），请稍后再试。`;
  const wait = Number(response.headers.get("Retry-After"));
  return new StaffProblem(response.status, text(told?.code) || "http_error", detail, wait > 0 ? wait : null);
}

/** The value that the gateway put beside the session, read anew each time: another tab may have signed in again. */
export function csrfFromCookie(cookies: string = document.cookie): string {
  return /(?:^|;\s*)hotline_csrf=([0-9a-f]+)/.exec(cookies)?.[1] ?? "";
}
