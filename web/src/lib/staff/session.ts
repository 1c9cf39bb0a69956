/** Who is signed in on this page, and the way back in when the session has lapsed. */

import { reactive, readonly } from "vue";
import { isObject, text } from "../parse";
import { isRole, type Role } from "./roles";
import { createStaffApi, csrfFromCookie, type StaffApi, StaffProblem } from "./staffApi";

export interface Person {
  username: string;
  displayName: string;
  roles: Role[];
  roleNames: string[];
}

export interface SignInOptions {
  oidc: { label: string; start: string } | null;
  error: string;
}

export interface SessionView {
  /** ``lapsed``: somebody is at work here and must sign in again; the page stays as it is. */
  state: "checking" | "out" | "in" | "lapsed" | "unreachable";
  person: Person | null;
  trouble: string;
}

/** Tells the other tabs; BroadcastChannel, or a stand-in for tests. */
export interface Tabs {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent) => void) | null;
}

export interface Session {
  readonly view: SessionView;
  readonly api: StaffApi;
  /** Finds out who is signed in. */
  check(): Promise<void>;
  signIn(username: string, password: string): Promise<void>;
  signOut(): Promise<void>;
  changePassword(old: string, fresh: string): Promise<void>;
  options(error: string): Promise<SignInOptions>;
  /** The person is at work (a key, a click): now and then the gateway is told, so that the session stays. */
  atWork(now?: number): void;
}

const ME = "/api/v1/auth/me";
const TELL_EVERY_MS = 5 * 60_000;

export interface SessionParts {
  fetch?: (path: string, init: RequestInit) => Promise<Response>;
  tabs?: Tabs | null;
  reload?: () => void;
}

export function createSession(parts: SessionParts = {}): Session {
  const view = reactive<SessionView>({ state: "checking", person: null, trouble: "" });
  const tabs = parts.tabs === undefined ? new BroadcastChannel("hotline-staff") : parts.tabs;
  const reload = parts.reload ?? (() => window.location.reload());
  let waiting: Array<{ resolve: () => void; reject: (error: Error) => void }> = [];
  let toldAt = 0;

  const api = createStaffApi({
    fetch: parts.fetch ?? ((path, init) => fetch(path, init)),
    csrfToken: () => csrfFromCookie(),
    signInAgain: () =>
      new Promise((resolve, reject) => {
        if (view.state === "out") return reject(new StaffProblem(401, "sign_in_required", "请先登录。"));
        view.state = "lapsed";
        waiting.push({ resolve, reject });
      }),
  });

  function enter(raw: Record<string, unknown>): void {
    const person = personOf(raw);
    if (view.person && person.username !== view.person.username) return reload(); // what is shown is another person's
    view.person = person;
    view.state = "in";
    view.trouble = "";
    toldAt = Date.now();
    const go = waiting;
    waiting = [];
    for (const each of go) each.resolve();
  }

  function leave(): void {
    view.state = "out";
    view.person = null;
    const stop = waiting;
    waiting = [];
    for (const each of stop) each.reject(new StaffProblem(401, "sign_in_required", "已退出登录。"));
  }

  async function check(): Promise<void> {
    const opening = view.state === "checking";
    try {
      enter(await api.callOnce("GET", ME));
      if (opening) tabs?.postMessage("in"); // perhaps back from the district's sign-on: a lapsed tab waits for that
    } catch (error) {
      const over = error instanceof StaffProblem && error.status === 401;
      if (over) view.state = view.person ? "lapsed" : "out";
      else if (!view.person) view.state = "unreachable";
      view.trouble = over ? "" : (error as Error).message;
    }
  }

  if (tabs) {
    tabs.onmessage = (event) => {
      if (event.data === "out") leave();
      else if (view.state !== "checking") void check();
    };
  }

  return {
    view: readonly(view) as SessionView,
    api,
    check,

    async signIn(username, password) {
      enter(await api.callOnce("POST", "/api/v1/auth/login", { username, password }));
      tabs?.postMessage("in");
    },

    async signOut() {
      await api.callOnce("POST", "/api/v1/auth/logout");
      leave();
      tabs?.postMessage("out");
    },

    async changePassword(old, fresh) {
      enter(await api.call("POST", "/api/v1/auth/password", { old_password: old, new_password: fresh }));
      tabs?.postMessage("in");
    },

    async options(error) {
      const query = error ? `?error=${encodeURIComponent(error)}` : "";
      const raw = await api.callOnce("GET", `/api/v1/auth/options${query}`);
      const oidc = isObject(raw.oidc) ? { label: text(raw.oidc.label), start: text(raw.oidc.start) } : null;
      return { oidc, error: isObject(raw.error) ? text(raw.error.detail) : "" };
    },

    atWork(now = Date.now()) {
      if (view.state !== "in" || now - toldAt < TELL_EVERY_MS) return;
      toldAt = now;
      void check();
    },
  };
}

function personOf(raw: Record<string, unknown>): Person {
  const names = Array.isArray(raw.role_names) ? raw.role_names.map(text) : [];
  const roles = Array.isArray(raw.roles) ? raw.roles.filter(isRole) : [];
  return { username: text(raw.username), displayName: text(raw.display_name), roles, roleNames: names };
}

