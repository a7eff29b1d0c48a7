// The JSON of the HTTP API: what `openapi/api.json` describes, names for its parts, and the few types that stand outside
// of it. Amounts are integer minor units, times are milliseconds since the epoch (UTC).

import type { Activity, BiometricQuery, Terminal } from './schema';
import type { Code } from './problem';

export type * from './schema';

export type Timestamp = number;
export type ActivityKind = Activity['kind'];
export type QueryKind = BiometricQuery['kind'];

export interface List<T> {
  data: readonly T[];
  has_more: boolean;
}

// ---- the till's agent, on loopback ----

/** From crates/wire/src/api.rs; `api/types.test.ts` compares it with that file. */
export interface LookAdvice {
  good: boolean;
  reason?: Code;
  liveness?: number;
}

/** `GET /till/config`, from the till's agent: the terminal, and how it stands. */
export interface TillConfig extends Terminal {
  /** The language a till starts in; the page's own choice without. */
  locale?: 'zh' | 'en';
  /** Whether the agent reached the platform just now; absent means yes. */
  platform_reachable?: boolean;
}
