import { Store } from './store.js';

/** How the page looks. */
export type Theme = 'light' | 'dark';

const themeName = 'mooring.theme';
const system = matchMedia('(prefers-color-scheme: dark)');

/** What was chosen here, else what the system prefers. */
export const theme = new Store<Theme>(current());

/** Puts the theme on the page, now and whenever it changes. */
export function applyTheme(): void {
  const apply = (): void => {
    document.documentElement.dataset['theme'] = theme.value;
  };
  apply();
  theme.subscribe(apply);
  system.addEventListener('change', () => theme.set(current()));
}

/** The other one, kept for next time. */
export function toggleTheme(): void {
  const other = theme.value === 'dark' ? 'light' : 'dark';
  localStorage.setItem(themeName, other);
  theme.set(other);
}

function current(): Theme {
  const chosen = localStorage.getItem(themeName);
  return chosen === 'light' || chosen === 'dark' ? chosen : system.matches ? 'dark' : 'light';
}
