/** The time, as often as a clock on the page must move. */
import { onBeforeUnmount, type Ref, ref } from "vue";

export function useNow(everyMs: number): Ref<number> {
  const now = ref(Date.now());
  const timer = setInterval(() => (now.value = Date.now()), everyMs);
  onBeforeUnmount(() => clearInterval(timer));
  return now;
}
