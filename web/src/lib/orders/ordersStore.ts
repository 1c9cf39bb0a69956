/** Everything the work-orders page knows and does, without a component. The last question wins. */
import { reactive } from "vue";
import { type StaffApi, StaffProblem } from "../staff/staffApi";
import { type Look, PAGE_SIZE, pathOf } from "./look";
import type { Candidate, Choices, HistoryLine, MoveFields, Order, OrderLine } from "./types";

const ORDERS = "/api/v1/work-orders";

export interface OrdersView {
  choices: Choices | null;
  lines: OrderLine[];
  total: number;
  loading: boolean;
  listTrouble: string;
  order: Order | null;
  history: HistoryLine[];
  candidates: Candidate[] | null;
  candidatesTrouble: string;
  orderTrouble: string;
}

export interface NewOrder {
  type: string;
  description: string;
  place: string;
  town: string;
  category: string;
  contact_name: string;
  contact_mobile: string;
}

export type OrdersStore = ReturnType<typeof createOrders>;

export function createOrders(api: Pick<StaffApi, "call">) {
  const view = reactive<OrdersView>({
    choices: null,
    lines: [],
    total: 0,
    loading: false,
    listTrouble: "",
    order: null,
    history: [],
    candidates: null,
    candidatesTrouble: "",
    orderTrouble: "",
  });
  let asked = 0;
  let opened = 0;

  async function start(): Promise<void> {
    try {
      view.choices = (await api.call("GET", `${ORDERS}/choices`)) as unknown as Choices;
    } catch (error) {
      view.listTrouble = (error as Error).message;
    }
  }

  /** ``quietly``: a look now and then in the background, whose failure leaves what is shown. */
  async function search(look: Look, quietly = false): Promise<void> {
    const mine = ++asked;
    view.loading = !quietly;
    try {
      const found = await api.call("GET", pathOf(look));
      if (mine !== asked) return;
      view.lines = found.work_orders as OrderLine[];
      view.total = Number(found.total);
      view.listTrouble = "";
    } catch (error) {
      if (mine !== asked) return;
      view.listTrouble = (error as Error).message;
      if (!quietly) view.lines = [];
    }
    view.loading = false;
  }

  function pages(): number {
    return Math.max(1, Math.ceil(view.total / PAGE_SIZE));
  }

  async function open(number: string): Promise<void> {
    const mine = ++opened;
    if (view.order?.number !== number) forget();
    if (!number) return;
    try {
      const [order, told] = await Promise.all([api.call("GET", pathOfOne(number)), api.call("GET", `${pathOfOne(number)}/history`)]);
      if (mine !== opened) return;
      show(order as unknown as Order);
      view.history = told.history as HistoryLine[];
      if (view.order?.moves.some((each) => each.move === "merge")) await compare(number, mine);
    } catch (error) {
      if (mine !== opened) return;
      forget();
      view.orderTrouble = (error as Error).message;
    }
  }

  async function compare(number: string, mine: number): Promise<void> {
    try {
      const found = await api.call("GET", `${pathOfOne(number)}/merge-candidates`);
      if (mine === opened) view.candidates = found.candidates as Candidate[];
    } catch (error) {
      if (mine === opened) view.candidatesTrouble = (error as Error).message; // not read yet: a note, no failure
    }
  }

  function forget(): void {
    Object.assign(view, { order: null, history: [], candidates: null, candidatesTrouble: "", orderTrouble: "" });
  }

  function show(order: Order): void {
    view.order = order;
    view.orderTrouble = "";
    const at = view.lines.findIndex((line) => line.number === order.number);
    if (at >= 0) view.lines[at] = order;
  }

  /** One move, made on what is shown: where somebody was faster, it is shown anew and nothing has changed. */
  async function act(move: string, fields: MoveFields): Promise<void> {
    const order = view.order;
    if (!order) return;
    const body: Record<string, unknown> = { move, note: fields.note.trim() };
    if (fields.department.trim()) body.department = fields.department.trim();
    if (fields.days !== null) body.days = fields.days;
    if (fields.main.trim()) body.main = fields.main.trim();
    if (fields.score !== null) body.score = fields.score;
    try {
      await api.call("PATCH", pathOfOne(order.number), body, { "If-Match": `"${order.version}"` });
    } catch (error) {
      if (error instanceof StaffProblem && [404, 409, 412].includes(error.status)) await open(order.number);
      throw error;
    }
    await open(order.number);
  }

  /** Throws with a sentence where the file is not taken. */
  async function attach(file: File): Promise<void> {
    const order = view.order;
    const most = view.choices?.attachment_max_mb;
    if (!order) return;
    if (most && file.size > most * 1024 * 1024) throw new Error(`一个附件最大 ${most} MB，请压缩后再传。`);
    if (!file.size) throw new Error("这个文件是空的，请换一个。");
    await api.call("POST", `${pathOfOne(order.number)}/attachments?name=${encodeURIComponent(file.name)}`, file);
    await open(order.number);
  }

  /** → the new order's number. ``key`` stays the same while one form is being sent again. */
  async function fileNew(given: NewOrder, key: string): Promise<string> {
    const body: Record<string, unknown> = { type: given.type, description: given.description.trim(), place: given.place.trim() };
    for (const name of ["town", "category", "contact_name", "contact_mobile"] as const) {
      if (given[name].trim()) body[name] = given[name].trim();
    }
    if (!given.contact_name.trim() && !given.contact_mobile.trim()) body.anonymous = true;
    const made = await api.call("POST", ORDERS, body, { "Idempotency-Key": key });
    return String(made.number);
  }

  return { view, start, search, pages, open, act, attach, fileNew };
}

export function pathOfOne(number: string): string {
  return `${ORDERS}/${encodeURIComponent(number)}`;
}
