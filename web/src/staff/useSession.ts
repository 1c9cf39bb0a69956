/** The page's one session, handed down by StaffShell's mount (mountStaffPage). */
import { inject, type InjectionKey } from "vue";
import type { Session } from "../lib/staff/session";

export const SESSION: InjectionKey<Session> = Symbol("session");

export function useSession(): Session {
  const session = inject(SESSION);
  if (!session) throw new Error("mount the page with mountStaffPage");
  return session;
}
