// The tokens of ui/tokens.css that the page shows; components.test.ts compares them with that file.

export const colours = [
  '--paper',
  '--surface',
  '--sunken',
  '--ink',
  '--ink-soft',
  '--line',
  '--line-strong',
  '--accent',
  '--accent-strong',
  '--on-accent',
  '--accent-wash',
  '--danger',
  '--on-danger',
  '--danger-wash',
  '--warn',
  '--warn-wash',
  '--focus',
] as const;
export const spaces = ['--space-1', '--space-2', '--space-3', '--space-4', '--space-5', '--space-6', '--space-7', '--target'] as const;
export const texts = ['--text-small', '--text', '--text-large', '--text-title'] as const;
