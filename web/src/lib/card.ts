/** Whether a card shows anything that the answer's text does not say already. */

import type { Card } from "./types";

export function addsToText(card: Card, text: string): boolean {
  return card.steps.length > 0 || card.rows.some((row) => !text.includes(row.value));
}
