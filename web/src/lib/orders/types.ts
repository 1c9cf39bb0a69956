/** Work orders as the gateway tells them (docs/work-orders.md). */

export interface OrderLine {
  number: string;
  version: number;
  type: string;
  type_name: string;
  state: string;
  state_name: string;
  department: string | null;
  town: string | null;
  created_at: string;
  due_on: string | null;
  due_note: string;
  standing: Standing;
  standing_name: string;
  owner: string;
  category: string | null;
  category_name: string | null;
  urgency: "normal" | "urgent" | "emergency";
  urgency_name: string;
  confidential: boolean;
  summary: string;
  escalated: boolean;
  score: number | null;
  /** Working days to the due day, negative after it; null where no clock runs. */
  days_left: number | null;
}

export type Standing = "on_time" | "due_soon" | "overdue" | "paused" | "stopped" | "no_limit";

export interface OfferedMove {
  move: string;
  name: string;
  needs: string[];
  told_to_citizen: boolean;
}

export interface Attachment {
  attachment_id: string;
  name: string;
  media_type: string;
  size: number;
  at: string;
}

export interface Order extends OrderLine {
  description: string;
  place: string;
  when: string;
  channel: string;
  anonymous: boolean;
  contact_name: string | null;
  contact_mobile: string | null;
  contact_hidden: boolean;
  proposal: { department: string | null; assisting: string[]; reason: string; sure: boolean } | null;
  answer: string;
  extension_asked: number | null;
  merged_into: string | null;
  merged: string[];
  revisit_due: string | null;
  attachments: Attachment[];
  hub_number: string | null;
  moves: OfferedMove[];
}

export interface HistoryLine {
  seq: number;
  at: string;
  actor: string;
  party_name: string;
  what: string;
  what_name: string;
  before: string | null;
  after: string;
  note: string;
  data: Record<string, unknown>;
}

export interface Candidate extends OrderLine {
  score: number;
  why: string;
}

export interface Choices {
  states: Record<string, string>;
  types: Record<string, string>;
  urgencies: Record<string, string>;
  ratings: Record<string, string>;
  categories: Record<string, string>;
  towns: string[];
  departments: string[];
  my_department: string | null;
  may_file: boolean;
  sees_confidential: boolean;
  extension_days_max: number;
  attachment_max_mb: number;
  attachments_max: number;
}

export interface MoveFields {
  note: string;
  department: string;
  days: number | null;
  main: string;
  score: number | null;
}
