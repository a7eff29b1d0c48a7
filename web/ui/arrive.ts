/**
 * Attached to the heading of a screen: a new screen begins at its heading, for the eye and for a screen reader. The
 * heading needs `tabindex="-1"` to take the focus.
 */
export function arrive(heading: HTMLElement): void {
  heading.focus({ preventScroll: true });
  scrollTo(0, 0);
}
