/** One thing at a time: while ``act`` works, ``busy`` is true; what goes wrong is told in the gateway's sentence. */
import { ElMessage } from "element-plus";
import { type Ref, ref } from "vue";

export function useAct(): { busy: Ref<boolean>; act(work: () => Promise<void>): Promise<boolean> } {
  const busy = ref(false);
  /** Whether it was done. */
  async function act(work: () => Promise<void>): Promise<boolean> {
    busy.value = true;
    try {
      await work();
      return true;
    } catch (error) {
      ElMessage.error((error as Error).message);
      return false;
    } finally {
      busy.value = false;
    }
  }
  return { busy, act };
}
