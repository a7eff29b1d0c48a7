// Looking: ask for advice on one frame after another until enough are good. No component, no timers of its own.

import type { Code } from '../api/problem';
import type { LookAdvice } from '../api/types';
import type { CameraRefusal } from './camera';

/** Why there was no look: a code of the advice, a refusal of the camera, or an agent that does not answer. */
export type LookRefusal = { code: Code } | { camera: CameraRefusal } | { agent: 'missing' };

export interface LookPlan {
  /** Frames to hand over. */
  frames: number;
  /** Between two frames, in milliseconds. */
  spacing_ms: number;
  /** At enrolment every frame must be good by itself; at the till the first good one starts a burst. */
  everyFrameAdvised: boolean;
  /** Without success the look is given up after this many milliseconds, with the last advice as the reason. */
  patience_ms: number;
}

/** A short burst: the mean of several frames is refused far less often than one frame. */
export const tillPlan: LookPlan = { frames: 4, spacing_ms: 50, everyFrameAdvised: false, patience_ms: 12_000 };
/** Spread over more than a second, so that the frames differ in pose and light. */
export const enrolmentPlan: LookPlan = { frames: 5, spacing_ms: 300, everyFrameAdvised: true, patience_ms: 40_000 };

/** What a look needs from the outside. */
export interface LookWorld {
  frame(): Promise<Blob>;
  advise(frame: Blob): Promise<LookAdvice>;
  wait(ms: number): Promise<void>;
  now_ms(): number;
  /** Whether the shopper went away from the screen. */
  stopped(): boolean;
  /** Tells the screen how it goes. */
  progress(taken: number, advice: LookAdvice): void;
}

export type LookResult = { kind: 'frames'; frames: Blob[] } | { kind: 'refused'; code: Code } | { kind: 'stopped' };

/** Looks until `plan` is fulfilled, patience ends or the screen is left. Errors of `frame` and `advise` pass through. */
export async function look(plan: LookPlan, world: LookWorld): Promise<LookResult> {
  const begun_ms = world.now_ms();
  const taken: Blob[] = [];
  let reason: Code = 'no_face';
  while (taken.length < plan.frames) {
    if (world.stopped()) return { kind: 'stopped' };
    if (world.now_ms() - begun_ms > plan.patience_ms) return { kind: 'refused', code: reason };
    const frame = await world.frame();
    if (plan.everyFrameAdvised || taken.length === 0) {
      const advice = await world.advise(frame);
      if (world.stopped()) return { kind: 'stopped' };
      if (advice.good) taken.push(frame);
      else reason = advice.reason ?? reason;
      world.progress(taken.length, advice);
    } else {
      taken.push(frame);
    }
    if (taken.length < plan.frames) await world.wait(plan.spacing_ms);
  }
  return { kind: 'frames', frames: taken };
}
