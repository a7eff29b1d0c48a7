// The page's language. Dictionaries are pairs `{ en, zh }` of one type: a word that is missing in one of them fails the
// type check, and with it the build.

export type Locale = 'zh' | 'en';
export interface Dictionary<Words> {
  en: Words;
  zh: Words;
}

const storageKey = 'handsel.locale';

class LocaleState {
  #current: Locale = $state(remembered() ?? (navigator.language.startsWith('zh') ? 'zh' : 'en'));

  get current(): Locale {
    return this.#current;
  }

  /** The shopper's or cashier's choice, kept for the next visit. */
  choose(locale: Locale): void {
    this.#show(locale);
    try {
      localStorage.setItem(storageKey, locale);
    } catch {
      // Without storage the choice holds until the page is left.
    }
  }

  /** The server's proposal: does not override a choice. */
  propose(locale: Locale | undefined): void {
    this.#show(remembered() ?? locale ?? this.#current);
  }

  #show(locale: Locale): void {
    this.#current = locale;
    document.documentElement.lang = this.tag;
  }

  /** BCP 47, for Intl, speech and the document. */
  get tag(): string {
    return this.#current === 'zh' ? 'zh-CN' : 'en';
  }
}

export const locale = new LocaleState();

/** The words of `dictionary` in the current language; reactive inside `$derived`. */
export function words<Words>(dictionary: Dictionary<Words>): Words {
  return dictionary[locale.current];
}

function remembered(): Locale | undefined {
  try {
    const stored = localStorage.getItem(storageKey);
    return stored === 'zh' || stored === 'en' ? stored : undefined;
  } catch {
    return undefined;
  }
}
