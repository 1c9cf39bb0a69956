/** The page's one desk, handed down by DeskRoom. */
import { inject, type InjectionKey } from "vue";
import type { DeskStore } from "../lib/desk/deskStore";

export const DESK: InjectionKey<DeskStore> = Symbol("desk");

export function useDesk(): DeskStore {
  const desk = inject(DESK);
  if (!desk) throw new Error("only within DeskRoom");
  return desk;
}
