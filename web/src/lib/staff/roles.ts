/** Which page is for whom; the same table as hotline/staff.py. What is hidden here the gateway refuses anyway. */

export type Role = "agent" | "supervisor" | "manager" | "admin";

const ACTS_AS: Record<Role, readonly Role[]> = {
  agent: ["agent"],
  supervisor: ["supervisor", "agent"],
  manager: ["manager"],
  admin: ["admin"],
};

export interface StaffPage {
  path: string;
  title: string;
  roles: readonly Role[];
}

export const PAGES: readonly StaffPage[] = [
  { path: "/desk", title: "坐席工作台", roles: ["agent"] },
  { path: "/desk/orders", title: "工单", roles: ["agent", "manager"] },
  { path: "/insights", title: "统计分析", roles: ["manager", "supervisor"] },
];

export function isRole(value: unknown): value is Role {
  return typeof value === "string" && value in ACTS_AS;
}

export function mayActAs(held: readonly Role[], wanted: readonly Role[]): boolean {
  return held.some((role) => ACTS_AS[role].some((each) => wanted.includes(each)));
}

export function pagesFor(held: readonly Role[]): StaffPage[] {
  return PAGES.filter((page) => mayActAs(held, page.roles));
}
