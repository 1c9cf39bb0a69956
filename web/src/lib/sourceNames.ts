/** A source's field in the citizen's words; a field not named here is shown as it is. */

const NAMES: Record<string, string> = {
  materials: "办理材料",
  conditions: "办理条件",
  steps: "办理流程",
  time_limit: "办理时限",
  fee: "收费",
  where: "办理地点",
  when_open: "办公时间",
  online: "网上办理",
  phone: "咨询电话",
  contact: "咨询电话",
  amount: "金额标准",
  status: "办件进度",
  state: "办件状态",
  general: "事项简介",
  summary: "事项简介",
};

export function fieldName(field: string): string {
  const last = field.split(".").at(-1) ?? field;
  return NAMES[field] ?? NAMES[last] ?? field;
}
