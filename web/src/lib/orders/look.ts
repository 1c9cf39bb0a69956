/** What the list is narrowed to, and which order is open; all of it stands in the address. */

export interface Look {
  q: string;
  state: string;
  town: string;
  department: string;
  category: string;
  type: string;
  urgency: string;
  due: "" | "overdue" | "soon";
  mine: "" | "1";
  page: number;
  order: string;
}

const BLANK: Look = { q: "", state: "", town: "", department: "", category: "", type: "", urgency: "", due: "", mine: "", page: 1, order: "" };
export const PAGE_SIZE = 20;
const FILTERS = ["q", "state", "town", "department", "category", "type", "urgency", "due"] as const;

export function blankLook(): Look {
  return { ...BLANK };
}

export function lookOf(query: string): Look {
  const given = new URLSearchParams(query);
  const look = blankLook();
  for (const name of FILTERS) (look as unknown as Record<string, string>)[name] = given.get(name) ?? "";
  if (look.due !== "overdue" && look.due !== "soon") look.due = "";
  look.mine = given.get("mine") === "1" ? "1" : "";
  look.page = Math.max(1, Math.trunc(Number(given.get("page"))) || 1);
  look.order = given.get("order") ?? "";
  return look;
}

export function queryOf(look: Look): string {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(look)) {
    if (value !== "" && !(name === "page" && value === 1)) parts.set(name, String(value));
  }
  return parts.toString();
}

export function pathOf(look: Look): string {
  const parts = new URLSearchParams({ page: String(look.page), page_size: String(PAGE_SIZE) });
  for (const name of FILTERS) if (look[name]) parts.set(name, look[name]);
  if (look.mine) parts.set("mine", "true");
  return `/api/v1/work-orders?${parts.toString()}`;
}

/** Whether anything but the search of one's own is narrowed. */
export function isNarrowed(look: Look): boolean {
  return look.mine !== "" || FILTERS.some((name) => look[name] !== "");
}
