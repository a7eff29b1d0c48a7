// What the sign-up form checks before it asks the platform, which checks everything again.

/** Mainland mobile numbers: 11 digits that begin with 1. */
export const isPhone = (text: string) => /^1\d{10}$/.test(text);
/** Six digits; whether they are too easy to guess is the platform's decision. */
export const isPasscode = (text: string) => /^\d{6}$/.test(text);
/** 1 to 64 characters, counted as people do, not in UTF-16 units. */
export const isName = (text: string) => [...text.trim()].length >= 1 && [...text.trim()].length <= 64;

/** Largest top-up, in minor units (¥5,000). */
export const top_up_minor_max = 500_000;
