/** One answer of the gateway as the page shows it: being fetched, there, or why not. The last question wins. */
import { reactive } from "vue";
import type { StaffApi } from "../staff/staffApi";

export interface Loaded<T> {
  data: T | null;
  loading: boolean;
  trouble: string;
  /** Asks for ``path``; what is there stays until the answer comes, and goes where the question failed. */
  load(path: string): Promise<void>;
  /** Asks the last question once more. */
  again(): Promise<void>;
}

export function createLoaded<T>(api: Pick<StaffApi, "call">): Loaded<T> {
  let asked = 0;
  let last = "";
  const self = reactive({
    data: null as unknown,
    loading: false,
    trouble: "",
    async load(path: string): Promise<void> {
      const mine = ++asked;
      last = path;
      self.loading = true;
      try {
        const answer = await api.call("GET", path);
        if (mine !== asked) return;
        self.data = answer;
        self.trouble = "";
      } catch (error) {
        if (mine !== asked) return;
        self.data = null;
        self.trouble = (error as Error).message;
      }
      self.loading = false;
    },
    again: (): Promise<void> => self.load(last),
  });
  return self as Loaded<T>;
}
