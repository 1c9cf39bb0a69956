/** The page's one desk and its one line to a caller, handed down by DeskRoom. */
import { inject, type InjectionKey } from "vue";
import type { DeskLine } from "../lib/desk/deskCall";
import type { DeskStore } from "../lib/desk/deskStore";

export const DESK: InjectionKey<DeskStore> = Symbol("desk");
export const LINE: InjectionKey<DeskLine> = Symbol("line");

function given<T>(key: InjectionKey<T>): T {
  const found = inject(key);
  if (!found) throw new Error("only within DeskRoom");
  return found;
}

export const useDesk = (): DeskStore => given(DESK);
export const useLine = (): DeskLine => given(LINE);
