/** The page's look, kept the same as the address. */
import { type DeepReadonly, reactive, readonly } from "vue";
import { type Look, lookOf, searchOf } from "./look";

export interface Place {
  readonly look: DeepReadonly<Look>;
  /** Goes there; the back button comes back. Another tab closes what was opened in this one. */
  go(change: Partial<Look>): void;
  hrefOf(change: Partial<Look>): string;
  leave(): void;
}

export function createPlace(page: Window = window): Place {
  const look = reactive(lookOf(page.location.search));
  const onBack = (): void => void Object.assign(look, lookOf(page.location.search));
  page.addEventListener("popstate", onBack);
  const moved = (change: Partial<Look>): Look => {
    const closed = change.tab && change.tab !== look.tab ? { behind: "", narrow: "", open: "", topic: "", alert: "", rule: "" } : {};
    return { ...look, ...closed, ...change };
  };
  const hrefOf = (change: Partial<Look>): string => page.location.pathname + searchOf(moved(change));
  return {
    look: readonly(look),
    hrefOf,
    go(change) {
      const href = hrefOf(change);
      Object.assign(look, moved(change));
      if (href !== page.location.pathname + page.location.search) page.history.pushState(null, "", href);
    },
    leave: () => page.removeEventListener("popstate", onBack),
  };
}
